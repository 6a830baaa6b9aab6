# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _never(_plugs: bool, **_: Any) -> bool:
    return False


DEFECT = Defect(
    name="hot-plug-ignored",
    sentence="A NIC that is added to a running VM is never plugged into it.",
    rows=("R4", "R5"),
    point="vm.plug_nic",
    change=_never,
)
