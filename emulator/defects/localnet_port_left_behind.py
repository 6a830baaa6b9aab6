# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.switch_over import Action, SwitchOver


async def _keep_the_old_port(now: SwitchOver) -> None:
    for nic, (left, _entered) in now.changed.items():
        if left.kind == "localnet":
            await now.dataplane.join(now.target.uid, now.domain.nics[nic].pod_interface, left)


def _with_old_port(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _keep_the_old_port]


DEFECT = Defect(
    name="localnet-port-left-behind",
    sentence="After the swap the VM's port on the previous localnet network is still there beside the new one.",
    rows=("R26",),
    point="agent.after_switch_over",
    change=_with_old_port,
)
