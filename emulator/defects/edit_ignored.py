# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _no(_answer: bool, **_: Any) -> bool:
    return False


DEFECT = Defect(
    name="edit-ignored",
    sentence="The edit of a running VM is accepted and nothing comes of it: no migration, no condition.",
    rows=("R1", "R2", "R9"),
    point="vm.copy_nad",
    change=_no,
    also=(("vm.restart_required", _no),),
)
