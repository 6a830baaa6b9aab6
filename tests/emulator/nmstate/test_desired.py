# SPDX-License-Identifier: Apache-2.0
"""What desired states make of a node, and the wiring that follows."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from emulator.dataplane.wiring import LINUX, NODE_WIRING, OVS, Bridge, Uplink
from emulator.nodeagent.nmstate.desired import NmstateError, apply, with_defaults
from emulator.nodeagent.nmstate.state import find, first_state, wiring_of

State = dict[str, Any]
FIRST = first_state(1, "192.0.2.11")


def bridge(name: str = "br-new", nic: str = "ens4", kind: str = LINUX, **more: Any) -> State:
    return {"name": name, "type": kind, "state": "up", "bridge": {"port": [{"name": nic}] if nic else []}, **more}


def after(*interfaces: State, mappings: tuple[State, ...] = (), of: State = FIRST) -> State:
    desired = {"interfaces": list(interfaces), "ovn": {"bridge-mappings": list(mappings)}}
    return apply(of, with_defaults(desired))


def port(state: State, name: str) -> State:
    found = find(state, name)
    assert found is not None
    return found


def test_first_state_is_the_nodes_own_wiring() -> None:
    wiring = wiring_of(FIRST)
    assert wiring.bridges == dict(NODE_WIRING.bridges)
    assert wiring.mappings == dict(NODE_WIRING.mappings)
    for nic in ("ens4", "ens5"):
        spare = port(FIRST, nic)
        assert (spare["type"], spare["state"], spare["ipv4"]["enabled"]) == ("ethernet", "up", False)
        assert "controller" not in spare


def test_bridge_on_a_spare_nic() -> None:
    before = copy.deepcopy(FIRST)
    state = after(bridge())
    assert before == FIRST, "the state that it starts from stays as it is"
    assert port(state, "ens4")["controller"] == "br-new"
    assert wiring_of(state).bridges["br-new"] == Bridge(LINUX, Uplink("ens4", ((2, 4094),)))
    vlan = port(state, "br-new")["bridge"]["port"][0]["vlan"]
    assert vlan == {"mode": "trunk", "trunk-tags": [{"id-range": {"min": 2, "max": 4094}}]}


def test_trunk_tags_are_the_vlans_that_pass() -> None:
    tags = [{"id": 101}, {"id-range": {"min": 200, "max": 210}}]
    with_tags = bridge() | {"bridge": {"port": [{"name": "ens4", "vlan": {"mode": "trunk", "trunk-tags": tags}}]}}
    uplink = wiring_of(after(with_tags)).bridges["br-new"].uplink
    assert uplink
    assert [vlan for vlan in (0, 100, 101, 199, 205, 211) if uplink.carries(vlan)] == [0, 101, 205]


def test_bridge_without_a_nic_ends_at_its_node() -> None:
    assert wiring_of(after(bridge(nic=""))).bridges["br-new"] == Bridge(LINUX)


def test_nic_moves_to_the_bridge_that_asks_last() -> None:
    state = after(bridge("br-b"), of=after(bridge("br-a")))
    assert wiring_of(state).bridges["br-a"].uplink is None
    assert port(state, "ens4")["controller"] == "br-b"


def test_absent_bridge_leaves_its_nic_down() -> None:
    absent = {"name": "br-new", "type": LINUX, "state": "absent"}
    made = after(bridge())
    state = after(absent, of=made)
    assert find(state, "br-new") is None
    assert port(state, "ens4")["state"] == "down"
    assert "br-new" not in wiring_of(state).bridges
    restored = after(absent, {"name": "ens4", "type": "ethernet", "state": "up"}, of=made)
    assert restored == FIRST


def test_localnet_on_an_ovs_bridge_of_its_own() -> None:
    mapping = {"localnet": "tenants", "bridge": "ovs-br1", "state": "present"}
    state = after(bridge("ovs-br1", kind=OVS), mappings=(mapping,))
    wiring = wiring_of(state)
    assert wiring.mappings == {"physnet": "br-ex", "tenants": "ovs-br1"}
    assert wiring.bridges["ovs-br1"] == Bridge(OVS, Uplink("ens4"))
    gone = after(mappings=({"localnet": "tenants", "state": "absent"},), of=state)
    assert wiring_of(gone).mappings == {"physnet": "br-ex"}


@pytest.mark.parametrize(
    ("wished", "why"),
    [
        (bridge(nic="eth666"), "InvalidArgument: Ethernet interface eth666 does not exists"),
        ({"name": "eth666", "type": "ethernet"}, "InvalidArgument: Ethernet interface eth666 does not exists"),
        (bridge("br-with-a-long-name"), "longer than 15 characters"),
    ],
)
def test_refusals(wished: State, why: str) -> None:
    with pytest.raises(NmstateError, match=why):
        after(wished)


def test_one_mapping_twice() -> None:
    mapping = {"localnet": "tenants", "bridge": "br-ex"}
    with pytest.raises(NmstateError, match="duplicate `localnet` key tenants"):
        after(mappings=(mapping, mapping))
