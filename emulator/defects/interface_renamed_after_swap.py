# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _spoil(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "link", "set", "dev", device, "down")
        await now.inside("ip", "link", "set", "dev", device, "name", "moved0")
        await now.inside("ip", "link", "set", "dev", "moved0", "up")


DEFECT = Defect(
    name="interface-renamed-after-swap",
    sentence="The guest takes the NIC for a new one after the swap: its interface has another name.",
    rows=("R6",),
    point="agent.after_switch_over",
    change=besides(_spoil),
)
