from __future__ import annotations

from ..decisions import Defect
from ..fabric.sieve import some
from ..nodeagent.switch_over import SwitchOver, besides


async def _lose(now: SwitchOver) -> None:
    for nic in now.changed:
        await now.fabric.lose(now.target.uid, now.domain.nics[nic].pod_interface, (some(30),))


DEFECT = Defect(
    name="new-network-loses-frames",
    sentence="After the swap three in ten frames from the new network are lost.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=besides(_lose),
)
