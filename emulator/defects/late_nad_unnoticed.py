# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _never(_again: bool, **_: Any) -> bool:
    return False


DEFECT = Defect(
    name="late-nad-unnoticed",
    sentence="A pod whose NAD was missing once is never tried again, so a NAD that comes late changes nothing.",
    rows=("R20",),
    point="agent.sandbox_retry",
    change=_never,
)
