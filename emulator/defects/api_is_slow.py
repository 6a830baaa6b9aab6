# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..apiserver.api_faults import ApiFault, every
from ..fault_points import Defect


def _fault() -> ApiFault:
    return ApiFault(seconds=0.4)


DEFECT = Defect(
    name="api-is-slow",
    sentence="The API server takes 400 ms longer for each request.",
    rows=(),
    point="api.fault",
    change=every(1, _fault),
    fault="lab",
)
