# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _spoil(now: SwitchOver) -> None:
    for device in now.devices:
        routes = (await now.inside("ip", "-4", "route", "show", "dev", device)).decode().splitlines()
        for route in routes:
            await now.inside("ip", "-4", "route", "del", route.split()[0], "dev", device)


DEFECT = Defect(
    name="route-lost-after-swap",
    sentence="At the end of the swap the routes of the NIC are gone inside the guest, while its addresses are there.",
    rows=("R6", "R16"),
    point="agent.after_switch_over",
    change=besides(_spoil),
)
