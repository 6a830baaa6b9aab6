# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect

GAP = 2.0


def _at_once(_waits: bool, **_: Any) -> bool:
    return False


def _late(_gap: float, **_: Any) -> float:
    return GAP


DEFECT = Defect(
    name="second-edit-wedges-migration",
    sentence="A VM asks for its next migration before the one that ended is called Succeeded, which it never is then.",
    rows=("R40",),
    point="vmi.waits_for_hand_over",
    change=_at_once,
    also=(("agent.completion_gap", _late),),
)
