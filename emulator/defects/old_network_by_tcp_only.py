from __future__ import annotations

from ..decisions import Defect
from ..fabric.sieve import ICMP
from ..nodeagent.switch_over import SwitchOver, besides


async def _keep_a_part(now: SwitchOver) -> None:
    for nic, (left, _entered) in now.changed.items():
        await now.fabric.join(now.target.uid, now.domain.nics[nic].pod_interface, left, (ICMP,))


DEFECT = Defect(
    name="old-network-by-tcp-only",
    sentence="After the swap the previous network is still there for TCP; pings are not answered.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=besides(_keep_a_part),
)
