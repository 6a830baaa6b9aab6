from __future__ import annotations

from ..decisions import Defect
from ..fabric.sieve import ECHO_REQUEST, TCP_CALL
from ..nodeagent.switch_over import SwitchOver, besides


async def _lose(now: SwitchOver) -> None:
    for nic in now.changed:
        await now.fabric.lose(
            now.target.uid,
            now.domain.nics[nic].pod_interface,
            (
                ECHO_REQUEST,
                TCP_CALL,
            ),
        )


DEFECT = Defect(
    name="new-network-one-way",
    sentence="After the swap the VM reaches others on its new network, but nobody there reaches the VM.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=besides(_lose),
)
