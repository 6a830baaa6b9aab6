# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _cut_the_others(now: SwitchOver) -> None:
    for name, nic in now.domain.nics.items():
        if name not in now.changed and nic.pod_interface in now.target.segments:
            await now.dataplane.detach(now.target.uid, nic.pod_interface)


DEFECT = Defect(
    name="other-nic-lost-after-swap",
    sentence="In the target pod only the NIC that was edited has a network; the other secondary NICs are cut off.",
    rows=("R43",),
    point="agent.after_switch_over",
    change=besides(_cut_the_others),
)
