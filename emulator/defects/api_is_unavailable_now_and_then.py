# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..apiserver.api_faults import ApiFault, every
from ..fault_points import Defect
from ..kube.errors import ApiError


def _fault() -> ApiFault:
    return ApiFault(error=ApiError(503, "ServiceUnavailable", "apiserver not ready"))


DEFECT = Defect(
    name="api-is-unavailable-now-and-then",
    sentence="Each seventh request to the API server is answered with 503.",
    rows=(),
    point="api.fault",
    change=every(7, _fault),
    fault="lab",
)
