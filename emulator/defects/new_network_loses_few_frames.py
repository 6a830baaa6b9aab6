from __future__ import annotations

from ..decisions import Defect
from ..fabric.sieve import some
from ..nodeagent.switch_over import SwitchOver, besides


async def _lose(now: SwitchOver) -> None:
    for nic in now.changed:
        await now.fabric.lose(now.target.uid, now.domain.nics[nic].pod_interface, (some(10),))


DEFECT = Defect(
    name="new-network-loses-few-frames",
    sentence="After the swap one in ten frames from the new network is lost, as on a poor network.",
    rows=(),
    point="agent.after_switch_over",
    change=besides(_lose),
    fault="lab",
)
