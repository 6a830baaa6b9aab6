# SPDX-License-Identifier: Apache-2.0
"""Keywords that change a VM's network, or settings of its NIC: what they write, refuse and judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from livenad.api.kinds import MIGRATION, NAD, NAMESPACE, NODE, POD, VM, VMI
from livenad.api.status import NETWORK_STATUS
from livenad.changes import NetworkChange
from livenad.errors import LabError, NotReached, ProductFault, TestError
from livenad.networks.attachment import Place
from livenad.ownership.labels import VM_LABEL

from tests.unit.libraries.conftest import NAME, Call, boot, open_suite
from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.healthy_cluster import node

INTERFACES = "/spec/template/spec/domain/devices/interfaces"
SOON = timedelta(seconds=0.2)
MOVE = {"nic": "secondary", "network": "green"}


def patch_of(api: FakeApi) -> list[Object]:
    """The only patch of a VM, tests of what was there included."""
    (patch,) = api.requests("PATCH", VM.path(NAME))
    return list(patch.body)


def assert_not_edited(api: FakeApi) -> None:
    assert not api.requests("PATCH", VM.path(NAME))


def test_edit_changes_network_name_alone_and_tests_what_it_replaces(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Change VM Network", "web", **MOVE)
    assert patch_of(api) == [
        {"op": "test", "path": "/spec/template/spec/networks/1/name", "value": "secondary"},
        {"op": "test", "path": "/spec/template/spec/networks/1/multus/networkName", "value": "blue"},
        {"op": "replace", "path": "/spec/template/spec/networks/1/multus/networkName", "value": "green"},
    ]
    (change,) = open_suite().changes.of(NetworkChange, "web")
    assert (change.old_network, change.new_network, change.node) == ("blue", "green", "n1")
    assert open_suite().vms["web"].nic("secondary").network == "green"


@pytest.mark.circumstance(
    "an existing VM runs on the one node whose CPU no other node has",
    topic="nodes",
    sees="is on node n3, and no other node takes it over: n1: ... label cpu-vendor.node.kubevirt.io/*",
    verdict="LAB ERROR",
    source="https://kubevirt.io/user-guide/compute/live_migration/",
)
def test_edit_of_a_vm_that_no_other_node_takes_over(
    healthy: FakeApi, connect: Callable[..., Call], sees: Callable[[object], None]
) -> None:
    for name, vendor in (("n1", "Intel"), ("n2", "Intel"), ("n3", "AMD")):
        healthy.put(NODE.path(), node(name, f"cpu-vendor.node.kubevirt.io/{vendor}"))
    call = connect()
    call("Open Test Namespace")
    call("Create Network", "blue", on=Place.bridge)
    call("Create Network", "green", on=Place.bridge)
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="blue")
    call("Start VMs")
    spec = healthy.objects[VM.path(NAME), "web"]["spec"]["template"]["spec"]
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n3"]}]
    boot(healthy, nodeName="n3")
    for keyword, arguments in (("Change VM Network", MOVE), ("Migrate VM", {})):
        with pytest.raises(LabError) as caught:
            call(keyword, "web", **arguments)
        sees(caught.value)
    assert_not_edited(healthy)
    boot(healthy, nodeName="n1")
    call("Change VM Network", "web", **MOVE)


def conflist(name: str, vlan: int) -> Object:
    """A NAD whose configuration is a list of plugins, as OpenShift's console makes it."""
    bridge = {"type": "cnv-bridge", "bridge": "br1", "vlan": vlan, "macspoofchk": True}
    config = {"cniVersion": "0.3.1", "name": "any-name", "plugins": [bridge, {"type": "cnv-tuning"}]}
    return {"metadata": {"name": name, "namespace": NAME}, "spec": {"config": json.dumps(config)}}


@pytest.mark.circumstance(
    "a user's NADs are lists of plugins (conflist), whose name differs from that of the NAD",
    topic="nodes",
    sees="",
    verdict="PASS",
    source="https://github.com/kubevirt/kubevirt.github.io/pull/638",
)
def test_networks_that_are_lists_of_plugins(api: FakeApi, call: Call) -> None:
    for name, vlan in (("sales", 7), ("plant", 8)):
        api.put(NAD.path(NAME), conflist(name, vlan))
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="sales")
    call("Start VMs")
    boot(api)
    call("Change VM Network", "web", nic="secondary", network="plant")
    assert patch_of(api)[-1]["value"] == "plant"
    # Multus names the NAD, and lists every interface that the plugins made.
    interface = open_suite().changes.network_change("web").pod_interface
    status = [
        {"name": "k8s-pod-network", "interface": "eth0", "default": True},
        {"name": f"{NAME}/plant", "interface": "br1"},
        {"name": f"{NAME}/plant", "interface": interface, "mac": "02:00:00:00:00:01"},
    ]
    boot(api)
    uid = api.objects[VMI.path(NAME), "web"]["metadata"]["uid"]
    labels = {VM_LABEL: "web", "kubevirt.io/created-by": uid, "kubevirt-nad-tests/run": "r1"}
    metadata = {"name": "launcher", "namespace": NAME, "labels": labels}
    metadata["annotations"] = {NETWORK_STATUS: json.dumps(status)}
    api.put(POD.path(NAME), {"metadata": metadata, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}})
    call("VM Should Be On Network", "web", nic="secondary", network="plant")


def test_several_nics_go_by_one_edit_and_several_vms_by_one_each(api: FakeApi, web: Call) -> None:
    web("Add NIC", "web", "third", network="blue")
    web("Start VMs")
    boot(api)
    web("Change VM Network", ["web"], networks={"secondary": "green", "third": "green"})
    moved = [line["path"] for line in patch_of(api) if line["op"] == "replace"]
    assert moved == [f"/spec/template/spec/networks/{number}/multus/networkName" for number in (1, 2)]
    changes = open_suite().changes.of(NetworkChange, "web")
    assert [(change.nic, change.with_nics) for change in changes] == [
        ("secondary", ("secondary", "third")),
        ("third", ("secondary", "third")),
    ]


def test_all_vms_are_checked_before_the_first_one_is_edited(api: FakeApi, web: Call) -> None:
    web("Define VM", "second")
    web("Add NIC", "second", "secondary", network="blue")
    web("Start VMs")
    boot(api)
    with pytest.raises(TestError, match=f"VM {NAME}/second is not running"):
        web("Change VM Network", ["web", "second"], **MOVE)
    assert_not_edited(api)


def test_edit_of_a_vm_that_does_not_run_is_refused(api: FakeApi, started: Call) -> None:
    with pytest.raises(
        TestError, match=rf"VM {NAME}/web is not running .*call `Start VMs` and `Wait Until VMs Are Ready` first"
    ):
        started("Change VM Network", "web", **MOVE)
    assert_not_edited(api)


def test_edit_of_a_vm_that_has_to_be_stopped(api: FakeApi, started: Call) -> None:
    boot(api)
    with pytest.raises(TestError, match=f"VM {NAME}/web is not stopped"):
        started("Change VM Network", "web", vm_state="stopped", **MOVE)
    assert_not_edited(api)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"nic": "secondary", "network": "Not_DNS"}, 'network "Not_DNS" is not the name of a NAD'),
        (
            {"nic": "secondary", "network": "red"},
            f'network "red" does not exist: there is no NAD {NAME}/red; networks of this suite: "blue", "green"',
        ),
        ({"nic": "default", "network": "green"}, "is on the pod network, which cannot be changed"),
        ({"nic": "third", "network": "green"}, f"VM {NAME}/web has no NIC \"third\"; it has: ['default', 'secondary']"),
        ({"nic": "secondary"}, "expected either nic=<NIC> and network=<network>, or networks=<dictionary"),
        ({"networks": {"secondary": "green"}, **MOVE}, "expected either nic=<NIC> and network=<network>, or networks="),
        ({"as_user": "bob", **MOVE}, 'user "bob" does not exist; call `Create VM Owner`; existing users: none'),
    ],
)
def test_wrong_edit_is_a_test_error(api: FakeApi, started: Call, named: dict[str, Any], said: str) -> None:
    boot(api)
    with pytest.raises(TestError) as caught:
        started("Change VM Network", "web", **named)
    assert said in str(caught.value)
    assert_not_edited(api)


def test_network_may_be_announced_as_missing(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Change VM Network", "web", nic="secondary", network="red", nad_exists=False)
    assert open_suite().changes.network_change("web").nad_missing
    started("Create Network", "red", on=Place.bridge)


def test_edit_during_a_migration_is_refused(api: FakeApi, started: Call) -> None:
    boot(api)
    migration: Object = {"metadata": {"name": "m"}, "spec": {"vmiName": "web"}, "status": {"phase": "Running"}}
    api.put(MIGRATION.path(NAME), migration)
    with pytest.raises(LabError, match=r"is already being migrated: m \(requested by a user\) is Running"):
        started("Change VM Network", "web", **MOVE)


@pytest.mark.parametrize(
    ("keyword", "subjects", "named", "said"),
    [
        ("Wait Until Change Has Settled", [], {"within": SOON}, "VM web was not changed yet"),
        ("Wait For VM Event", ["migration created"], {"within": SOON}, 'network of VM "web" was not changed'),
        ("NIC Change Should Have Completed", [], {"nic": "secondary", "within": SOON}, "was not changed in this suite"),
        ("NIC Change Should Have Completed", [], {"nic": "third", "within": SOON}, 'has no NIC "third"; it has'),
        (
            "Change Should Not Have Been Applied Live",
            [],
            {},
            "VM web was not changed yet (network or nic settings)",
        ),
        ("VMI Interface Should Be Unchanged", [], {"nic": "secondary"}, 'the network of VM "web" was not changed'),
        ("VM Should Be On Network", [], {"nic": "third", "network": "blue"}, 'has no NIC "third"'),
        ("VM Should Be On Network", [], {"nic": "secondary", "network": "red"}, 'network "red" does not exist'),
        ("Source Pod Networks Should Be Unchanged", [], {}, "call `Change VM Network` first"),
    ],
)
def test_verdict_without_its_change_is_a_test_error(
    started: Call, keyword: str, subjects: list[str], named: dict[str, Any], said: str
) -> None:
    with pytest.raises(TestError) as caught:
        started(keyword, "web", *subjects, **named)
    assert said in str(caught.value)


def test_settling_judges_nothing_until_the_suite_would_end_green(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Change VM Network", "web", **MOVE)
    started("Wait Until Change Has Settled", "web", within=SOON)
    wait = rf"VM {NAME}/web, NIC .*: expected the cluster to process it within 0.2 s; no migration object was made"
    with pytest.raises(NotReached, match=wait):
        started("Close Test Namespace")
    assert api.requests("DELETE", NAMESPACE.path(None, NAME))


@pytest.mark.parametrize("status", ["FAIL", "SKIP"])
def test_wait_that_ended_without_its_event_adds_nothing_to_a_red_suite(
    api: FakeApi, started: Call, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    boot(api)
    started("Change VM Network", "web", **MOVE)
    started("Wait Until Change Has Settled", "web", within=SOON)
    monkeypatch.setattr("KubeVirtLibrary.namespaces.suite_status", lambda: status)
    started("Close Test Namespace")


def test_vm_that_does_not_stop_is_the_labs_fault(api: FakeApi, started: Call) -> None:
    boot(api)
    api.answers["PUT", f"/apis/subresources.kubevirt.io/v1/namespaces/{NAME}/virtualmachines/web/stop"] = {}
    started("Stop VM", "web")
    with pytest.raises(LabError, match=rf"expected VM {NAME}/web to be stopped within 0.2 s"):
        started("Wait Until Change Has Settled", "web", within=SOON)


@pytest.mark.parametrize(("event", "fault"), [("launcher pod created", LabError), ("migration running", ProductFault)])
def test_moment_that_does_not_come_is_told(api: FakeApi, started: Call, event: str, fault: type[Exception]) -> None:
    boot(api, phase="Pending")
    if event != "launcher pod created":
        boot(api)
        started("Change VM Network", "web", **MOVE)
    with pytest.raises(fault, match=r"expected a (launcher pod|migration to be under way) within 0.2 s"):
        started("Wait For VM Event", "web", event, within=SOON)


def test_moment_that_stays_out_is_told_where_the_suite_would_end_green(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Change VM Network", "web", **MOVE)
    started("Wait For VM Event", "web", "migration created", within=SOON)
    with pytest.raises(NotReached, match=r"expected a migration created within 0.2 s; "):
        started("Close Test Namespace")


def test_warning_that_stays_out_is_no_fault(api: FakeApi, started: Call) -> None:
    """A virt-controller that reads NADs itself, as that of 1.8, writes of a missing one to its log only."""
    boot(api)
    started("Change VM Network", "web", **MOVE)
    started("Wait For VM Event", "web", "warning reported", within=SOON)
    started("Close Test Namespace")


def test_complete_change_is_judged_on_what_was_recorded(replayed: Callable[[str], Call]) -> None:
    call = replayed("swap-main")
    call("NIC Change Should Have Completed", "vm1", nic="net1", within=timedelta(minutes=1))
    call("VMI Interface Should Be Unchanged", "vm1", nic="net1")
    call("Source Pod Networks Should Be Unchanged", "vm1")
    call("Wait For VM Event", "vm1", "migration created", within=SOON)
    with pytest.raises(LabError, match=r"migration lab-b-basic/\S+ has ended before it was seen under way"):
        call("Wait For VM Event", "vm1", "migration running", within=SOON)
    with pytest.raises(ProductFault, match=r"expected to be complete within 5\.0 s, was only after 14 s"):
        call("NIC Change Should Have Completed", "vm1", nic="net1", within=timedelta(seconds=5))
    with pytest.raises(ProductFault, match="vm1"):
        call("Change Should Not Have Been Applied Live", "vm1")


def test_change_that_did_not_go_live_is_judged_on_what_was_recorded(replayed: Callable[[str], Call]) -> None:
    call = replayed("gate-off-1.8.4")
    call("Change Should Not Have Been Applied Live", "vm1")
    with pytest.raises(ProductFault, match="expected to be complete within 1 min 0 s, is not after"):
        call("NIC Change Should Have Completed", "vm1", nic="net1", within=timedelta(minutes=1))


def test_a_mixed_edit_of_settings_is_one_patch(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Change NIC Settings", "web", nic="secondary", binding="sriov", model="e1000e", network="green")
    assert [line for line in patch_of(api) if line["op"] != "test"] == [
        {"op": "remove", "path": f"{INTERFACES}/1/bridge"},
        {"op": "add", "path": f"{INTERFACES}/1/sriov", "value": {}},
        {"op": "add", "path": f"{INTERFACES}/1/model", "value": "e1000e"},
        {"op": "replace", "path": "/spec/template/spec/networks/1/multus/networkName", "value": "green"},
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"nic": "secondary"}, "no field to edit; give binding, model or network"),
        ({"nic": "third", "model": "e1000e"}, 'has no NIC "third"; it has'),
        ({"nic": "secondary", "network": "red"}, 'network "red" does not exist'),
    ],
)
def test_wrong_edit_of_settings_is_a_test_error(api: FakeApi, started: Call, named: dict[str, Any], said: str) -> None:
    boot(api)
    with pytest.raises(TestError) as caught:
        started("Change NIC Settings", "web", **named)
    assert said in str(caught.value)
    assert_not_edited(api)


def test_settings_of_a_vm_that_does_not_run_are_not_edited(api: FakeApi, started: Call) -> None:
    with pytest.raises(TestError, match="is not running"):
        started("Change NIC Settings", "web", nic="secondary", model="e1000e")
    assert_not_edited(api)
