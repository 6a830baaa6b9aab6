# SPDX-License-Identifier: Apache-2.0
"""The networks carry too little or too much after a swap."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from ..dataplane.errors import DataPlaneError
from ..dataplane.packet_loss import (
    ARP,
    ECHO_REPLY,
    ECHO_REQUEST,
    ICMP,
    IPV4,
    IPV6,
    LARGE,
    TCP,
    TCP_ACCEPT,
    TCP_CALL,
    UDP,
    UNICAST,
    some,
    tcp_to,
)
from ..fault_points import Defect
from ..nodeagent.sandboxes import PRIMARY
from ..nodeagent.switch_over import Action, SwitchOver, besides, keeping_the_old_network, losing

ATTACHED_TO_BOTH_NETWORKS = Defect(
    name="attached-to-both-networks",
    sentence="After the swap the NIC is on its new network and still on the previous one as well.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(),
)


async def _take_a_neighbours(now: SwitchOver) -> None:
    """That of a NIC which is on the new network already."""
    entered = {after for _before, after in now.changed.values()}
    for domain in now.domains.by_uid.values():
        sandbox = now.sandboxes.get(domain.pod_uid)
        for nic in domain.nics.values() if sandbox and domain is not now.domain else ():
            if sandbox and sandbox.segments.get(nic.pod_interface) in entered:
                for device in now.devices:
                    await now.inside("ip", "link", "set", "dev", device, "address", nic.mac)
                return


DUPLICATE_MAC_AFTER_SWAP = Defect(
    name="duplicate-mac-after-swap",
    sentence="The NIC is given a MAC that another VM on the new network has.",
    rows=("R1", "R6"),
    point="agent.after_switch_over",
    change=besides(_take_a_neighbours),
)


async def _unplug(now: SwitchOver) -> None:
    for nic in now.changed:
        await now.dataplane.set_link(now.domain.uid, nic, False)


LINK_DOWN_AFTER_SWAP = Defect(
    name="link-down-after-swap",
    sentence="After the swap the NIC has no carrier: its link stays down.",
    rows=("R1", "R6"),
    point="agent.after_switch_over",
    change=besides(_unplug),
)


async def _keep_the_old_port(now: SwitchOver) -> None:
    for nic, (left, _entered) in now.changed.items():
        if left.kind == "localnet":
            await now.dataplane.join(now.target.uid, now.domain.nics[nic].pod_interface, left)


def _with_old_port(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _keep_the_old_port]


LOCALNET_PORT_LEFT_BEHIND = Defect(
    name="localnet-port-left-behind",
    sentence="After the swap the VM's port on the previous localnet network is still there beside the new one.",
    rows=("R26",),
    point="agent.after_switch_over",
    change=_with_old_port,
)


SECONDS = 8.0


class _Outage:
    """Links down before the first frame of the new network, up again later; the migration goes on meanwhile."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def before(self, actions: list[Action], **_: Any) -> list[Action]:
        return [*actions, self._links_down]

    def after(self, actions: list[Action], **_: Any) -> list[Action]:
        return [*actions, self._begin]

    async def _links_down(self, now: SwitchOver) -> None:
        for nic in now.changed:
            await now.dataplane.set_link(now.domain.uid, nic, False)

    async def _begin(self, now: SwitchOver) -> None:
        task = asyncio.create_task(self._end(now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, now: SwitchOver) -> None:
        await asyncio.sleep(SECONDS)
        for nic in now.changed:
            try:
                await now.dataplane.set_link(now.domain.uid, nic, True)
            except (DataPlaneError, OSError):
                return


_outage = _Outage()


LONG_OUTAGE_AFTER_SWAP = Defect(
    name="long-outage-after-swap",
    sentence="After the swap the NIC carries nothing for 8 s, as with a switch that learns the new port too late.",
    rows=("R45",),
    point="agent.after_switch_over",
    change=_outage.after,
    also=(("agent.before_switch_over", _outage.before),),
)


async def _cut(now: SwitchOver) -> None:
    for interface in now.target.segments:
        await now.dataplane.detach(now.target.uid, interface)


def _with_cut(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _cut]


MIGRATION_LOSES_NETWORKS = Defect(
    name="migration-loses-networks",
    sentence="No secondary network works after a live migration, whatever the migration was for.",
    rows=("R4", "R10", "R1"),
    point="agent.after_switch_over",
    change=_with_cut,
)


NEW_NETWORK_ICMP_ONLY = Defect(
    name="new-network-icmp-only",
    sentence="After the swap only ICMP crosses the new network, as with a filter that was made for the old port.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(TCP),
)


NEW_NETWORK_IS_SLOW = Defect(
    name="new-network-is-slow",
    sentence="After the swap each second TCP frame from the new network is lost: connections open, and crawl.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(replace(TCP, percent=50)),
)


NEW_NETWORK_LOSES_FEW_FRAMES = Defect(
    name="new-network-loses-few-frames",
    sentence="After the swap one in ten frames from the new network is lost, as on a poor network.",
    rows=(),
    point="agent.after_switch_over",
    change=losing(some(10)),
    fault="lab",
)


NEW_NETWORK_LOSES_FRAMES = Defect(
    name="new-network-loses-frames",
    sentence="After the swap three in ten frames from the new network are lost.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(some(30)),
)


NEW_NETWORK_LOSES_LARGE_FRAMES = Defect(
    name="new-network-loses-large-frames",
    sentence="After the swap large frames do not cross the new network, as with a trunk of a smaller MTU.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(LARGE),
)


NEW_NETWORK_ONE_WAY = Defect(
    name="new-network-one-way",
    sentence="After the swap the VM reaches others on its new network, but no peer there reaches the VM.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(ECHO_REQUEST, TCP_CALL),
)


NEW_NETWORK_WITHOUT_UDP = Defect(
    name="new-network-without-udp",
    sentence="After the swap pings and TCP cross the new network, and UDP does not.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(UDP),
)


OLD_NETWORK_BY_ARP_ONLY = Defect(
    name="old-network-by-arp-only",
    sentence="After the swap VM and guests on the previous network still tell each other their MACs; no IP crosses.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(IPV4, IPV6)),
)


OLD_NETWORK_BY_BROADCAST_ONLY = Defect(
    name="old-network-by-broadcast-only",
    sentence="After the swap frames to everybody on the previous network still reach the VM; no others do.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ARP, UNICAST)),
)


OLD_NETWORK_BY_IPV4_ONLY = Defect(
    name="old-network-by-ipv4-only",
    sentence="After the swap the previous network is still there for IPv4.",
    rows=("R9", "R29"),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(IPV6,)),
)


OLD_NETWORK_BY_IPV6_ONLY = Defect(
    name="old-network-by-ipv6-only",
    sentence="After the swap the previous network is still there for IPv6.",
    rows=("R9", "R29"),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ARP, IPV4)),
)


OLD_NETWORK_BY_TCP_ONLY = Defect(
    name="old-network-by-tcp-only",
    sentence="After the swap the previous network is still there for TCP; pings are not answered.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ICMP,)),
)


OLD_NETWORK_BY_UDP_ONLY = Defect(
    name="old-network-by-udp-only",
    sentence="After the swap the previous network is still there for UDP; pings and TCP are not answered.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ICMP, TCP)),
)


OLD_NETWORK_REACHES_VM = Defect(
    name="old-network-reaches-vm",
    sentence="After the swap guests on the previous network still reach the VM, though it does not reach them.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ECHO_REPLY, TCP_ACCEPT)),
)


_FIRST_OWN_PORT = 32768
"""From here on the kernel takes the ports of connections that a guest opens."""


async def _forget_connections(now: SwitchOver) -> None:
    """Drop what belongs to connections that were open, at each NIC but those of the edit."""
    said = await now.inside("ss", "-Htn", "state", "established")
    local = [words[2] for line in said.decode().splitlines() if len(words := line.split()) >= 4]
    ports = [int(address.rpartition(":")[2]) for address in local]
    # Those that the guest has opened: at the ports of its servers new connections must still come in.
    kinds = [tcp_to(port) for port in ports if port >= _FIRST_OWN_PORT]
    for name, nic in now.domain.nics.items():
        if kinds and name not in now.changed and nic.pod_interface in now.target.segments:
            await now.dataplane.drop_frames(now.target.uid, nic.pod_interface, kinds)


OPEN_CONNECTIONS_CUT_AFTER_SWAP = Defect(
    name="open-connections-cut-after-swap",
    sentence="After the swap connections that were open through another NIC are cut off; new ones work.",
    rows=("R51",),
    point="agent.after_switch_over",
    change=besides(_forget_connections),
)


async def _cut_the_others(now: SwitchOver) -> None:
    for name, nic in now.domain.nics.items():
        if name not in now.changed and nic.pod_interface in now.target.segments:
            await now.dataplane.detach(now.target.uid, nic.pod_interface)


OTHER_NIC_LOST_AFTER_SWAP = Defect(
    name="other-nic-lost-after-swap",
    sentence="In the target pod only the NIC that was edited has a network; the other secondary NICs are cut off.",
    rows=("R43",),
    point="agent.after_switch_over",
    change=besides(_cut_the_others),
)


async def _cut_the_pod_network(now: SwitchOver) -> None:
    await now.dataplane.detach(now.target.uid, PRIMARY)


POD_NETWORK_LOST_AFTER_SWAP = Defect(
    name="pod-network-lost-after-swap",
    sentence="After the swap nothing crosses the pod network of the VM any more.",
    rows=("R43",),
    point="agent.after_switch_over",
    change=besides(_cut_the_pod_network),
)
