# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _never(_answer: bool, **_: Any) -> bool:
    return False


DEFECT = Defect(
    name="gate-off-edit-unnoticed",
    sentence="With the gate off the edit is passed over in silence: no restart is asked for.",
    rows=("R8",),
    point="vm.restart_required",
    change=_never,
)
