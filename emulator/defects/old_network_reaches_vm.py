from __future__ import annotations

from ..decisions import Defect
from ..fabric.sieve import ECHO_REPLY, TCP_ACCEPT
from ..nodeagent.switch_over import SwitchOver, besides


async def _keep_a_part(now: SwitchOver) -> None:
    for nic, (left, _entered) in now.changed.items():
        await now.fabric.join(
            now.target.uid,
            now.domain.nics[nic].pod_interface,
            left,
            (
                ECHO_REPLY,
                TCP_ACCEPT,
            ),
        )


DEFECT = Defect(
    name="old-network-reaches-vm",
    sentence="After the swap guests on the previous network still reach the VM, though it does not reach them.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=besides(_keep_a_part),
)
