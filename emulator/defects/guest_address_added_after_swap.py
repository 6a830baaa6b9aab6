# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _spoil(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "addr", "add", "169.254.77.1/16", "dev", device)


DEFECT = Defect(
    name="guest-address-added-after-swap",
    sentence="Something configures the NIC inside the guest after the swap: it has an address more than before.",
    rows=("R16",),
    point="agent.after_switch_over",
    change=besides(_spoil),
)
