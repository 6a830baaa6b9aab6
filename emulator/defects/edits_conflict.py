# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..apiserver.api_faults import ApiFault, every
from ..fault_points import Defect
from ..kube.errors import ApiError


def _fault() -> ApiFault:
    return ApiFault(error=ApiError(409, "Conflict", "the object has been modified"))


DEFECT = Defect(
    name="edits-conflict",
    sentence="Each second change of an object is refused with 409.",
    rows=(),
    point="api.fault",
    change=every(2, _fault, "patch", "update"),
    fault="lab",
)
