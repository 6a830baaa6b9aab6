# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _unplug(now: SwitchOver) -> None:
    for nic in now.changed:
        await now.dataplane.set_link(now.domain.uid, nic, False)


DEFECT = Defect(
    name="link-down-after-swap",
    sentence="After the swap the NIC has no carrier: its link stays down.",
    rows=("R1", "R6"),
    point="agent.after_switch_over",
    change=besides(_unplug),
)
