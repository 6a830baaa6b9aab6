# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..dataplane.wiring import Segment
from ..fault_points import Defect
from ..nodeagent.domains import Domain
from ..nodeagent.switch_over import Action, SwitchOver


async def _kill_peers(now: SwitchOver) -> None:
    left = {before for before, _after in now.changed.values()}
    for peer in list(now.domains.by_uid.values()):
        if peer is not now.domain and _main_network(peer, now) in left:
            peer.panicked = True
            await now.dataplane.kill_inside(peer.uid)


def _main_network(domain: Domain, now: SwitchOver) -> Segment | None:
    """The network of the guest's first NIC that is not its pod network."""
    sandbox = now.sandboxes.get(domain.pod_uid)
    segments = sandbox.segments if sandbox else {}
    return next((segments[nic.pod_interface] for nic in domain.nics.values() if nic.pod_interface in segments), None)


def _with_dead_peers(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _kill_peers]


DEFECT = Defect(
    name="peer-guest-dies",
    sentence="While a guest is moved to another network, the guests that have their main NIC on the previous one die: "
    "silence there proves nothing.",
    rows=(),
    point="agent.after_switch_over",
    change=_with_dead_peers,
    fault="lab",
)
