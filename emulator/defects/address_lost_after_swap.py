# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _spoil(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "-4", "addr", "flush", "dev", device)


DEFECT = Defect(
    name="address-lost-after-swap",
    sentence="At the end of the swap the NIC loses its IPv4 addresses inside the guest.",
    rows=("R6", "R16", "R29"),
    point="agent.after_switch_over",
    change=besides(_spoil),
)
