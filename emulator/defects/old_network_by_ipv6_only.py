from __future__ import annotations

from ..decisions import Defect
from ..fabric.sieve import ARP, IPV4
from ..nodeagent.switch_over import SwitchOver, besides


async def _keep_a_part(now: SwitchOver) -> None:
    for nic, (left, _entered) in now.changed.items():
        await now.fabric.join(
            now.target.uid,
            now.domain.nics[nic].pod_interface,
            left,
            (
                ARP,
                IPV4,
            ),
        )


DEFECT = Defect(
    name="old-network-by-ipv6-only",
    sentence="After the swap the previous network is still there for IPv6.",
    rows=("R9", "R29"),
    point="agent.after_switch_over",
    change=besides(_keep_a_part),
)
