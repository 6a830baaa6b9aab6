# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _pause(now: SwitchOver) -> None:
    now.domain.paused = True
    await now.dataplane.freeze(now.domain.uid, True)


DEFECT = Defect(
    name="vm-paused-after-swap",
    sentence="The guest is never resumed after the switch-over: the VM stays paused on its target node.",
    rows=("R1", "R2", "R19"),
    point="agent.after_switch_over",
    change=besides(_pause),
)
