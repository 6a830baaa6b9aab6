# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _spoil(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "link", "set", "dev", device, "mtu", "1400")


DEFECT = Defect(
    name="mtu-changed-after-swap",
    sentence="The MTU of the NIC is another one inside the guest after the swap.",
    rows=("R6",),
    point="agent.after_switch_over",
    change=besides(_spoil),
)
