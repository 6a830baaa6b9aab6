# SPDX-License-Identifier: Apache-2.0
"""`Create Network` and what stands behind its places, on a scripted cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from livenad.api.kinds import NAD, NODE, VMI
from livenad.cluster.environment import Measured
from livenad.cluster.nodes import judge_nodes
from livenad.errors import LabError, TestError
from livenad.networks.attachment import Place
from livenad.networks.cudn import CLUSTER_NETWORK
from robot.api import SkipExecution

from tests.unit.libraries.conftest import NAME, Call, open_run, open_suite
from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.healthy_cluster import node
from tests.unit.support.leases import names_of

NODES = ("n1", "n2")


@pytest.fixture
def begin(connect: Callable[..., Call]) -> Callable[..., Call]:
    """Opens a namespace with these settings, on a cluster that has all places."""

    def with_settings(**settings: Any) -> Call:
        call = connect(**settings)
        for name in ("localnet", "second-bridge"):
            open_run().capabilities.known[name] = Measured(True, "there")
        call("Open Test Namespace")
        return call

    return with_settings


def config_of(api: FakeApi, name: str, namespace: str = NAME) -> Object:
    return dict(json.loads(api.objects[NAD.path(namespace), name]["spec"]["config"]))


def test_network_on_a_bridge_has_a_leased_vlan(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin()
    call("Create Network", "blue", on=Place.bridge)
    call("Create Network", "green", on=Place.bridge)
    assert [(config_of(api, name)["bridge"], config_of(api, name)["vlan"]) for name in ("blue", "green")] == [
        ("br1", 100),
        ("br1", 101),
    ]
    assert {"kubevirt-nad-tests-br1-100", "kubevirt-nad-tests-br1-101"} <= names_of(api)


def test_same_vlan_elsewhere_is_asked_for_by_the_network_that_has_it(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin()
    call("Create Network", "blue", on=Place.bridge)
    call("Create Network", "far", on=Place.other_bridge, vlan_of="blue")
    further = call("Create Additional Namespace")
    call("Create Network", "blue", on=Place.bridge, vlan_of="blue", namespace=further)
    assert (config_of(api, "far")["bridge"], config_of(api, "far")["vlan"]) == ("br2", 100)
    assert config_of(api, "blue", further)["vlan"] == 100
    call("Create Network", "near", on=Place.bridge, vlan_of=f"{further}/blue")
    assert config_of(api, "near")["vlan"] == 100


def test_vlan_of_a_network_that_was_not_made_is_a_test_error(begin: Callable[..., Call]) -> None:
    call = begin()
    with pytest.raises(
        TestError, match='vlan_of="blue" is not a network of this suite; `Create Network` created: none'
    ):
        call("Create Network", "far", on=Place.other_bridge, vlan_of="blue")


def test_bridge_that_nodes_show_as_a_resource_is_asked_for(healthy: FakeApi, begin: Callable[..., Call]) -> None:
    for name in NODES:
        shown = node(name)
        shown["status"]["capacity"] = {"bridge.network.kubevirt.io/br1": "1k"}
        healthy.put(NODE.path(), shown)
    call = begin()
    call("Create Network", "blue", on=Place.bridge)
    call("Create Network", "far", on=Place.other_bridge)
    notes = healthy.objects[NAD.path(NAME), "blue"]["metadata"]["annotations"]
    assert notes["k8s.v1.cni.cncf.io/resourceName"] == "bridge.network.kubevirt.io/br1"
    assert "k8s.v1.cni.cncf.io/resourceName" not in healthy.objects[NAD.path(NAME), "far"]["metadata"]["annotations"]


def test_node_local_bridges_are_the_runs_own(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin(node_network="node-local")
    call("Create Network", "blue", on=Place.bridge)
    call("Create Network", "far", on=Place.other_bridge)
    assert [config_of(api, name)["bridge"] for name in ("blue", "far")] == ["nad-r1-1", "nad-r1-2"]


def test_localnets_differ_in_the_name_by_which_ovn_knows_them(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin()
    call("Create Network", "blue", on=Place.localnet)
    call("Create Network", "green", on=Place.localnet)
    blue, green = config_of(api, "blue"), config_of(api, "green")
    assert (blue["topology"], blue["physicalNetworkName"], blue["vlanID"]) == ("localnet", "physnet", 100)
    assert (blue["netAttachDefName"], green["vlanID"]) == (f"{NAME}/blue", 101)
    assert blue["name"] != green["name"]


def ovn(api: FakeApi, name: str) -> threading.Thread:
    """OVN-Kubernetes: says that the network is created, and makes its NAD a little later."""
    api.put(CLUSTER_NETWORK.path(), {"metadata": {"name": "foreign"}})
    api.remove(CLUSTER_NETWORK.path(), "foreign")

    def work() -> None:
        with api.condition:
            assert api.condition.wait_for(lambda: (CLUSTER_NETWORK.path(), name) in api.objects, 5)
            item = dict(api.objects[CLUSTER_NETWORK.path(), name])
        shown = {"type": "NetworkCreated", "status": "True", "message": "created in following namespaces: []"}
        api.put(CLUSTER_NETWORK.path(), {**item, "status": {"conditions": [shown]}})
        api.put(NAD.path(NAME), {"metadata": {"name": name, "namespace": NAME}, "spec": {"config": "{}"}})

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_cluster_network_is_ready_when_its_nad_is_there_and_goes_by_the_suites_name(
    api: FakeApi, begin: Callable[..., Call]
) -> None:
    call = begin(localnet_api="cudn")
    ovn(api, "blue-r1-1")
    call("Create Network", "blue", on=Place.localnet)
    assert (NAD.path(NAME), "blue-r1-1") in api.objects
    spec = api.objects[CLUSTER_NETWORK.path(), "blue-r1-1"]["spec"]
    assert spec["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": NAME}}
    assert spec["network"]["localnet"]["vlan"] == {"mode": "Access", "access": {"id": 100}}
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="blue")
    assert open_suite().vms["web"].nic("secondary").network == "blue-r1-1"
    assert open_run().networks.real_name(f"{NAME}/blue") == f"{NAME}/blue-r1-1"
    assert open_run().networks.real_name("other") == "other"


def test_cluster_network_goes_after_the_guests_and_before_the_namespace(
    api: FakeApi, begin: Callable[..., Call]
) -> None:
    call = begin(localnet_api="cudn")
    ovn(api, "blue-r1-1")
    call("Create Network", "blue", on=Place.localnet)
    api.put(VMI.path(NAME), {"metadata": {"name": "web", "namespace": NAME}})
    open_suite().recorder.catch_up()
    early: list[str] = []

    def end_guest() -> None:
        early.extend(seen.path for seen in api.requests("DELETE"))
        api.remove(VMI.path(NAME), "web")

    timer = threading.Timer(0.3, end_guest)
    timer.start()
    call("Close Test Namespace")
    removed = [seen.path.rsplit("/", 2)[1:] for seen in api.requests("DELETE")]
    assert early == []
    assert removed[:2] == [[CLUSTER_NETWORK.plural, "blue-r1-1"], ["namespaces", NAME]]


@pytest.mark.circumstance(
    "another client deletes a network of the run, and makes one of the same name",
    topic="others",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_cluster_network_of_the_same_name_that_another_client_made_is_kept(
    api: FakeApi, begin: Callable[..., Call]
) -> None:
    call = begin(localnet_api="cudn")
    ovn(api, "blue-r1-1")
    call("Create Network", "blue", on=Place.localnet)
    api.remove(CLUSTER_NETWORK.path(), "blue-r1-1")
    theirs = api.put(CLUSTER_NETWORK.path(), {"metadata": {"name": "blue-r1-1"}})
    call("Close Test Namespace")
    assert api.objects[CLUSTER_NETWORK.path(), "blue-r1-1"]["metadata"]["uid"] == theirs["metadata"]["uid"]


def test_cluster_network_that_was_there_before_is_kept(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin(localnet_api="cudn")
    api.put(CLUSTER_NETWORK.path(), {"metadata": {"name": "blue-r1-1"}})
    with pytest.raises(LabError, match="already exists"):
        call("Create Network", "blue", on=Place.localnet)
    call("Close Test Namespace")
    assert (CLUSTER_NETWORK.path(), "blue-r1-1") in api.objects


def test_cluster_network_that_another_nad_keeps_from_being_is_told_at_once(
    api: FakeApi, begin: Callable[..., Call]
) -> None:
    call = begin(localnet_api="cudn")
    api.put(CLUSTER_NETWORK.path(), {"metadata": {"name": "blue-r1-1", "labels": {"kubevirt-nad-tests/run": "r1"}}})
    api.remove(CLUSTER_NETWORK.path(), "blue-r1-1")

    def refuse() -> None:
        with api.condition:
            assert api.condition.wait_for(lambda: (CLUSTER_NETWORK.path(), "blue-r1-1") in api.objects, 5)
            item = dict(api.objects[CLUSTER_NETWORK.path(), "blue-r1-1"])
        why = "foreign NetworkAttachmentDefinition with the desired name already exist [x/blue]"
        shown = {"type": "NetworkCreated", "status": "False", "message": why}
        api.put(CLUSTER_NETWORK.path(), {**item, "status": {"conditions": [shown]}})

    threading.Thread(target=refuse, daemon=True).start()
    with pytest.raises(LabError, match=r"NetworkCreated is False: foreign NetworkAttachmentDefinition"):
        call("Create Network", "blue", on=Place.localnet)


def asked(api: FakeApi) -> list[str]:
    """Requests but those of the recorder, which come when they come."""
    return [f"{seen.verb} {seen.path}" for seen in api.seen if seen.verb == "PUT" or NAME not in seen.path]


def test_bringing_together_asks_nothing_where_networks_span_the_nodes(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin()
    call("Define VM", "web")
    before = asked(api)
    call("Co-locate VMs", "web", within=timedelta(seconds=1))
    assert asked(api) == before


def test_vlans_stay_leased_until_the_namespace_is_gone(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin()
    call("Create Network", "blue", on=Place.bridge)
    stored = api.objects["/api/v1/namespaces", NAME]
    call("Close Test Namespace")
    api.put("/api/v1/namespaces", stored)
    call("Open Test Namespace")
    assert "kubevirt-nad-tests-br1-100" in names_of(api)
    call("Close Test Namespace")
    api.remove("/api/v1/namespaces", NAME)
    call("Open Test Namespace")
    assert "kubevirt-nad-tests-br1-100" not in names_of(api)


def test_missing_right_on_leases_is_told_before_anything_is_created(api: FakeApi, begin: Callable[..., Call]) -> None:
    api.forbidden.add(("POST", "/namespaces/default/leases"))
    with pytest.raises(LabError, match="set variable LEASE_NAMESPACE"):
        begin()
    assert not api.requests("POST", "/api/v1/namespaces")


def put_guest(api: FakeApi, name: str, node: str) -> None:
    """A VM that runs on a node."""
    status = {"phase": "Running", "nodeName": node, "conditions": [{"type": "Ready", "status": "True"}]}
    api.put(VMI.path(NAME), {"metadata": {"name": name, "namespace": NAME}, "status": status})


def test_guests_of_node_local_networks_follow_the_vm_by_migration(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin(node_network="node-local")
    api.put(NODE.path(), {"metadata": {"name": "n2", "labels": {"kubernetes.io/hostname": "host-2"}}})
    for name, place in (("web", "n2"), ("peer", "n1"), ("neighbour", "n2")):
        call("Define VM", name)
        put_guest(api, name, place)
    path = f"/apis/subresources.kubevirt.io/v1/namespaces/{NAME}/virtualmachines/peer/migrate"
    api.answers["PUT", path] = {}

    def migrate() -> None:
        with api.condition:
            assert api.condition.wait_for(lambda: bool(api.requests("PUT", "/migrate")), 5)
        put_guest(api, "peer", "n2")

    thread = threading.Thread(target=migrate)
    thread.start()
    call("Co-locate VMs", "web", within=timedelta(seconds=10))
    thread.join()
    (request,) = api.requests("PUT", "/migrate")
    assert (request.path, request.body) == (path, {"addedNodeSelector": {"kubernetes.io/hostname": "host-2"}})


def test_guest_that_does_not_follow_is_the_labs_fault(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin(node_network="node-local")
    for name, place in (("web", "n2"), ("peer", "n1")):
        call("Define VM", name)
        put_guest(api, name, place)
    path = f"/apis/subresources.kubevirt.io/v1/namespaces/{NAME}/virtualmachines/peer/migrate"
    api.answers["PUT", path] = {}
    with pytest.raises(LabError, match=rf"expected the guests of {NAME} on node n2 within 0.3 s.*peer: "):
        call("Co-locate VMs", "web", within=timedelta(seconds=0.3))


def test_guests_of_node_local_networks_would_like_to_start_on_one_node(begin: Callable[..., Call]) -> None:
    begin(node_network="node-local")
    nodes = judge_nodes([node(name) for name in NODES])
    first, second = (open_run().networks.node_affinity(nodes) for _ in range(2))
    assert first is not None
    assert first == second
    (wish,) = first["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert wish["preference"]["matchFields"][0]["values"][0] in NODES
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in first["nodeAffinity"]
    assert open_run().networks.node_affinity(judge_nodes([])) is None
    assert open_run().networks.node_affinity(None) is None


def test_guests_elsewhere_start_where_they_like(begin: Callable[..., Call]) -> None:
    begin()
    assert open_run().networks.node_affinity(judge_nodes([node(name) for name in NODES])) is None


def test_place_that_the_cluster_does_not_have_is_a_skip(api: FakeApi, begin: Callable[..., Call]) -> None:
    call = begin()
    open_run().capabilities.known["localnet"] = Measured(False, "no bridge mapping on any node")
    with pytest.raises(SkipExecution, match="capability localnet is not there: no bridge mapping on any node"):
        call("Create Network", "blue", on=Place.localnet)
    assert not api.requests("POST", NAD.path(NAME))


@pytest.mark.parametrize("name", ["New_Network", "new network", "a/b/c", "", "-x", "ns/"])
def test_nad_name_that_is_no_dns_name_creates_nothing(api: FakeApi, call: Call, name: str) -> None:
    with pytest.raises(TestError) as caught:
        call("Create Network", name, on=Place.bridge)
    assert f'network "{name}" is not the name of a NAD; expected lower-case letters' in str(caught.value)
    assert not api.requests("POST", NAD.path(NAME))


def test_co_locating_with_an_unknown_vm_is_a_test_error(call: Call) -> None:
    with pytest.raises(TestError, match='VM "web" is not defined in this suite; defined: none'):
        call("Co-locate VMs", "web", within=timedelta(seconds=1))
