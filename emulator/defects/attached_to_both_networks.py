from __future__ import annotations

from typing import Any

from ..decisions import Defect
from ..nodeagent.switch_over import Action, SwitchOver


async def _keep_the_old_one(now: SwitchOver) -> None:
    for nic, (left, _entered) in now.changed.items():
        await now.fabric.join(now.target.uid, now.domain.nics[nic].pod_interface, left)


def _with_old_network(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _keep_the_old_one]


DEFECT = Defect(
    name="attached-to-both-networks",
    sentence="After the swap the NIC is on its new network and still on the previous one as well.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=_with_old_network,
)
