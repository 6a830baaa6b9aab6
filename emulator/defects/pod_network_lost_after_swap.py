# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.sandboxes import PRIMARY
from ..nodeagent.switch_over import SwitchOver, besides


async def _cut_the_pod_network(now: SwitchOver) -> None:
    await now.dataplane.detach(now.target.uid, PRIMARY)


DEFECT = Defect(
    name="pod-network-lost-after-swap",
    sentence="After the swap nothing crosses the pod network of the VM any more.",
    rows=("R43",),
    point="agent.after_switch_over",
    change=besides(_cut_the_pod_network),
)
