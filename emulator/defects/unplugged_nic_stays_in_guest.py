# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _never(_unplug: bool, **_: Any) -> bool:
    return False


DEFECT = Defect(
    name="unplugged-nic-stays-in-guest",
    sentence="A NIC that is unplugged is gone from the API, and the guest keeps it.",
    rows=("R4", "R5"),
    point="agent.unplug",
    change=_never,
)
