# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..apiserver.api_faults import ApiFault, every
from ..fault_points import Defect
from ..kube.errors import ApiError


def _fault() -> ApiFault:
    return ApiFault(error=ApiError(410, "Expired", "too old resource version"))


DEFECT = Defect(
    name="watches-expire",
    sentence="Each second watch is refused with 410: the resource version is too old.",
    rows=(),
    point="api.fault",
    change=every(2, _fault, "watch"),
    fault="lab",
)
