# SPDX-License-Identifier: Apache-2.0
"""Which bridges join the nodes, and how localnets reach them."""

from __future__ import annotations

import asyncio

import pytest

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.wiring import LINUX, NODE_WIRING, OVS, Bridge, Segment, Uplink, Wiring
from tests.emulator.dataplane import policies
from tests.emulator.dataplane.lab import NODES, Lab, address

OWN = Segment("br-own", 100)


def wiring(bridges: dict[str, Bridge], mappings: dict[str, str] | None = None) -> Wiring:
    """The nodes' own wiring with more bridges, and with these mappings where they are given."""
    return Wiring({**NODE_WIRING.bridges, **bridges}, NODE_WIRING.mappings if mappings is None else mappings)


async def _everywhere(lab: Lab, bridges: dict[str, Bridge]) -> None:
    for node in NODES:
        await lab.dataplane.rewire(node, wiring(bridges))


async def bridge_that_nobody_configured_ends_at_its_node(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1", OWN), lab.guest(2, "node-2", OWN), lab.guest(3, "node-1", OWN))
    await lab.reaches("g1", address(3))
    assert not await lab.pings("g1", address(2))


async def nic_joins_the_nodes_that_have_it(lab: Lab) -> None:
    other_vlan = Segment("br-own", 200)
    await asyncio.gather(lab.guest(1, "node-1", OWN), lab.guest(2, "node-2", OWN), lab.guest(3, "node-2", other_vlan))
    await lab.dataplane.rewire("node-1", wiring({"br-own": Bridge(LINUX, Uplink("ens4"))}))
    assert not await lab.pings("g1", address(2)), "one node's NIC alone joins nothing"
    await lab.dataplane.rewire("node-2", wiring({"br-own": Bridge(LINUX, Uplink("ens4"))}))
    await lab.reaches("g1", address(2))
    assert not await lab.pings("g1", address(3))
    await lab.dataplane.rewire("node-2", wiring({"br-own": Bridge(LINUX, Uplink("ens5"))}))
    assert not await lab.pings("g1", address(2)), "another NIC is another wire"
    await lab.dataplane.rewire("node-2", wiring({"br-own": Bridge(LINUX)}))
    assert not await lab.pings("g1", address(2))


async def bridges_on_one_wire_share_its_vlans(lab: Lab) -> None:
    await lab.dataplane.rewire("node-1", wiring({"br-one": Bridge(LINUX, Uplink("ens4"))}))
    await lab.dataplane.rewire("node-2", wiring({"br-two": Bridge(LINUX, Uplink("ens4"))}))
    await asyncio.gather(
        lab.guest(1, "node-1", Segment("br-one", 100)),
        lab.guest(2, "node-2", Segment("br-two", 100)),
        lab.guest(3, "node-2", Segment("br-two", 200)),
    )
    await lab.reaches("g1", address(2))
    assert not await lab.pings("g1", address(3))


async def port_lets_only_its_vlans_pass(lab: Lab) -> None:
    await _everywhere(lab, {"br-own": Bridge(LINUX, Uplink("ens4", ((100, 100), (150, 160))))})
    kept = Segment("br-own", 200)
    await asyncio.gather(lab.guest(1, "node-1", OWN), lab.guest(2, "node-2", OWN))
    await asyncio.gather(lab.guest(3, "node-1", kept), lab.guest(4, "node-2", kept))
    await lab.reaches("g1", address(2))
    assert not await lab.pings("g3", address(4))


async def localnet_is_its_vlan_of_the_mapped_bridge(lab: Lab) -> None:
    first, second = (Segment("physnet", vlan, "localnet") for vlan in (100, 200))
    await asyncio.gather(lab.guest(1, "node-1", first), lab.guest(2, "node-2", first), lab.guest(3, "node-2", second))
    await lab.reaches("g1", address(2))
    assert not await lab.pings("g1", address(3))
    await lab.dataplane.rewire("node-2", Wiring(NODE_WIRING.bridges))
    assert not await lab.pings("g1", address(2)), "without its mapping a localnet carries nothing"
    await lab.dataplane.rewire("node-2", NODE_WIRING)
    await lab.reaches("g1", address(2))


async def localnet_without_a_mapping_carries_nothing(lab: Lab) -> None:
    unmapped = Segment("nowhere", 100, "localnet")
    await asyncio.gather(lab.guest(1, "node-1", unmapped), lab.guest(2, "node-1", unmapped))
    assert not await lab.pings("g1", address(2))
    await lab.dataplane.remove_pod("p1")


async def localnet_needs_an_ovs_bridge(lab: Lab) -> None:
    localnet = Segment("mine", 100, "localnet")
    await asyncio.gather(lab.guest(1, "node-1", localnet), lab.guest(2, "node-2", localnet))
    for kind, carried in ((LINUX, False), (OVS, True)):
        for node in NODES:
            await lab.dataplane.rewire(node, wiring({"br-own": Bridge(kind, Uplink("ens4"))}, {"mine": "br-own"}))
        if carried:
            await lab.reaches("g1", address(2))
        else:
            assert not await lab.pings("g1", address(2))


async def bridge_that_goes_takes_its_ports_along(lab: Lab) -> None:
    await _everywhere(lab, {"br-own": Bridge(LINUX, Uplink("ens4"))})
    await asyncio.gather(lab.guest(1, "node-1", OWN), lab.guest(2, "node-1", OWN))
    await lab.reaches("g1", address(2))
    await _everywhere(lab, {})
    assert not await lab.pings("g1", address(2))
    await _everywhere(lab, {"br-own": Bridge(LINUX, Uplink("ens4"))})
    assert not await lab.pings("g1", address(2)), "they are not plugged in again"
    await lab.guest(3, "node-2", OWN)
    await lab.dataplane.remove_pod("p1")


async def bridge_plugin_wants_a_linux_bridge(lab: Lab) -> None:
    with pytest.raises(DataPlaneError, match='"br-ex" already exists but is not a bridge'):
        await lab.pod("p1", "node-1", Segment("br-ex", 100))
    await lab.dataplane.remove_pod("p1")


async def policy_joins_the_nodes_by_its_nic_and_parts_them_again(lab: Lab) -> None:
    """The handlers of both nodes on the real data plane, without an API in between."""
    handlers = await policies.handlers(lab.dataplane, NODES)
    await asyncio.gather(lab.guest(1, "node-1", OWN), lab.guest(2, "node-2", OWN))
    bridge = {"name": "br-own", "type": LINUX, "bridge": {"port": [{"name": "ens4"}]}}
    for handler in handlers:
        assert not await lab.pings("g1", address(2))
        assert await policies.enact(handler, {"interfaces": [bridge]})
    await lab.reaches("g1", address(2))
    assert await policies.enact(handlers[1], {"interfaces": [bridge | {"state": "absent"}]})
    assert not await lab.pings("g1", address(2))
