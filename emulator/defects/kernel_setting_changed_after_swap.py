# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _set(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("sh", "-c", f"echo 1 > /proc/sys/net/ipv4/conf/{device}/arp_ignore")


DEFECT = Defect(
    name="kernel-setting-changed-after-swap",
    sentence="A kernel setting of the NIC is another one in the guest after the swap; all its traffic still works.",
    rows=("R51",),
    point="agent.after_switch_over",
    change=besides(_set),
)
