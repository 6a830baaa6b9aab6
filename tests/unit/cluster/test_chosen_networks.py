# SPDX-License-Identifier: Apache-2.0
"""Whether the nodes have the networks that the profile names, from what bridge-marker and NMState tell of them."""

from __future__ import annotations

from typing import Any

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import NODE, NODE_STATE
from livenad.cluster.chosen_networks import chosen_networks, judge_bridge
from livenad.cluster.environment import Lab
from livenad.cluster.facts import read_facts, read_version
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.healthy_cluster import node, serve

VLANS = tuple(range(100, 200))
MARKED = {"n1": ("br1", "br5"), "n2": ("br1",), "n3": ("br5",)}


def state(name: str, *ports: dict[str, Any], bridge: str = "br1") -> dict[str, Any]:
    interface = {"name": bridge, "type": "linux-bridge", "bridge": {"port": list(ports)}}
    return {"metadata": {"name": name}, "status": {"currentState": {"interfaces": [interface]}}}


def trunk(*tags: dict[str, Any]) -> dict[str, Any]:
    return {"name": "eth1", "vlan": {"mode": "trunk", "trunk-tags": list(tags)}}


def test_a_bridge_that_two_nodes_have_will_do() -> None:
    assert judge_bridge("br1", ("n1", "n2", "n3"), MARKED, {}, VLANS) == ("bridge br1 is on 2 of 3 usable nodes", [])


@pytest.mark.parametrize(("bridge", "where"), [("br9", "none"), ("br5", "n1")])
def test_a_bridge_that_no_pair_of_nodes_has_is_told_with_those_that_there_are(bridge: str, where: str) -> None:
    _, (lack,) = judge_bridge(bridge, ("n1", "n2"), MARKED, {}, VLANS)
    assert lack.startswith(f"bridge {bridge} (variable BRIDGE) is on {where} of the usable nodes n1, n2")
    assert "bridges of the nodes: br1" in lack
    assert lack.endswith("make the bridge on every node with an uplink, or name yours by BRIDGE")


def test_without_bridge_marker_and_nmstate_nothing_is_told() -> None:
    value, lacks = judge_bridge("br1", ("n1", "n2"), {}, {}, VLANS)
    assert value.endswith(
        "whether all nodes have it is not known (only bridge-marker and NMState, two add-ons, tell that)"
    )
    assert lacks == []


def test_a_bridge_may_be_on_nodes_that_nothing_tells_of() -> None:
    value, lacks = judge_bridge("br9", ("n1", "n2", "n3"), {}, {"n1": state("n1")}, VLANS)
    assert value.endswith("two add-ons, tell that)") and lacks == []


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ((), "has no port, so no VLAN leaves the node; attach its uplink"),
        ((trunk({"id": 7}),), "passes any of the VLANs 100 to 199 (variable VLANS); allow them there"),
        ((trunk({"id-range": {"min": 2, "max": 99}}),), "passes any of the VLANs 100 to 199"),
        ((trunk({"id-range": {"min": 2, "max": 4094}}),), ""),
        ((trunk({"id": 150}),), ""),
        (({"name": "eth1"},), ""),
        (({"name": "eth1", "vlan": {}}, trunk({"id": 7})), ""),
    ],
)
def test_vlans_that_do_not_leave_a_node_are_told_as_far_as_nmstate_tells(ports: tuple[Any, ...], said: str) -> None:
    states = {"n1": state("n1", *ports), "n2": state("n2", {"name": "eth1"})}
    _, lacks = judge_bridge("br1", ("n1", "n2"), {}, states, VLANS)
    assert len(lacks) == bool(said)
    assert not said or (said in lacks[0] and "bridge br1 on n1" in lacks[0])


def looked_at(cluster: Cluster, **values: Any) -> tuple[str, list[str]]:
    return chosen_networks(Lab(cluster, read_facts(cluster, read_version(cluster)), Settings(**values)))


def test_nmstate_that_is_chosen_has_to_be_installed(healthy: FakeApi, cluster: Cluster) -> None:
    _, (lack,) = looked_at(cluster, node_network="nmstate")
    assert lack.startswith(
        "variable NODE_NETWORK is nmstate, and nmstate.io is not served; install the NMState operator"
    )
    assert looked_at(cluster, node_network="node-local")[1] == []


def test_bridge_marker_and_node_states_are_read(healthy: FakeApi, cluster: Cluster) -> None:
    assert looked_at(cluster)[1] == []
    serve(healthy, "k8s.cni.cncf.io", "nmstate.io")
    for name in ("n1", "n2"):
        item = node(name)
        item["status"]["capacity"] = {"bridge.network.kubevirt.io/br1": "1k"}
        healthy.put(NODE.path(), item)
        healthy.put(NODE_STATE.path(), state(name))
    value, lacks = looked_at(cluster)
    assert value == "bridge br1 is on 2 of 2 usable nodes"
    assert [lack.partition(" has no port")[0] for lack in lacks] == ["bridge br1 on n1", "bridge br1 on n2"]
