# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..apiserver.api_faults import ApiFault, every
from ..fault_points import Defect
from ..kube.errors import ApiError


def _fault() -> ApiFault:
    return ApiFault(error=ApiError(429, "TooManyRequests", "the server has received too many requests"))


DEFECT = Defect(
    name="api-throttles",
    sentence="Each fifth request to the API server is turned away with 429.",
    rows=(),
    point="api.fault",
    change=every(5, _fault),
    fault="lab",
)
