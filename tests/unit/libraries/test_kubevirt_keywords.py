"""Keywords on a scripted cluster: what they create, what they refuse, what they leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from KubeVirtLibrary import KubeVirtLibrary
from livenad.api.client import Cluster
from livenad.api.kinds import LEASE, MIGRATION, NAD, NAMESPACE, POD, SECRET, VM, VMI
from livenad.context import Run
from livenad.errors import BadInput, LabError
from livenad.ownership.created_resources import Ledger
from livenad.settings import Settings
from livenad.virtual_machines.manifests import nic_mac

from tests.unit.support.fake_api import FakeApi, Fault, Object

NAME = "nad-swap-r1-1"


class Keywords:
    """Calls keywords by their names, as Robot does."""

    def __init__(self) -> None:
        self._library = KubeVirtLibrary()

    def __call__(self, keyword: str, *subjects: object, **named: Any) -> Any:
        return self._library.run_keyword(keyword, list(subjects), named)


@pytest.fixture
def run(api: FakeApi, cluster: Cluster) -> Iterator[Run]:
    """A run on the scripted cluster, as `Open Cluster` would begin it."""
    current = Run(Settings(), cluster, Ledger(cluster, "r1"), "r1")
    current.make_current()
    yield current
    if current.recorder is not None:
        current.recorder.stop()
    current.ledger.lease.stop()
    current.forget()


@pytest.fixture
def call(run: Run) -> Keywords:
    keywords = Keywords()
    keywords("Open Test Namespace")
    return keywords


def define_web(call: Keywords) -> None:
    call("Create Bridge Network", "blue", bridge="br1", vlan=100)
    call("Create Bridge Network", "green", bridge="br1", vlan=200)
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="blue", addresses="10.0.0.1/24")


def boot(api: FakeApi, **changes: object) -> None:
    """What the cluster makes of the VM: a VMI that runs."""
    vm = api.objects[VM.path(NAME), "web"]
    interfaces = [
        {"name": "default", "mac": nic_mac("r1", f"{NAME}/web", "default"), "ipAddress": "10.2.0.1"},
        {
            "name": "secondary",
            "mac": nic_mac("r1", f"{NAME}/web", "secondary"),
            "ipAddresses": ["10.0.0.1"],
            "podInterfaceName": "podc0f69e19ba2",
        },
    ]
    conditions = [{"type": name, "status": "True"} for name in ("Ready", "AgentConnected", "LiveMigratable")]
    status = {"phase": "Running", "nodeName": "n1", "interfaces": interfaces, "conditions": conditions, **changes}
    spec = vm["spec"]["template"]["spec"]
    api.put(VMI.path(NAME), {"metadata": {"name": "web", "namespace": NAME}, "spec": spec, "status": status})


def test_namespace_is_created_leased_and_recorded(api: FakeApi, run: Run, call: Keywords) -> None:
    assert run.namespace == NAME
    assert (NAMESPACE.path(), NAME) in api.objects
    assert any(path == LEASE.path(NAME) for path, _ in api.objects)
    define_web(call)
    assert run.require_recorder().history.wait(
        lambda: run.require_recorder().history.current(NAD, "green"), time.monotonic() + 5
    )


def test_second_namespace_is_refused_while_one_is_open(call: Keywords) -> None:
    with pytest.raises(LabError, match=f"namespace {NAME} is still open"):
        call("Open Test Namespace")


@pytest.mark.parametrize("name", ["New_Network", "new network", "a/b/c", "", "-x", "ns/"])
def test_nad_name_that_is_no_dns_name_creates_nothing(api: FakeApi, call: Keywords, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        call("Create Bridge Network", name, bridge="br1", vlan=1)
    assert f'network "{name}" is not the name of a NAD; expected lower-case letters' in str(caught.value)
    assert not api.requests("POST", NAD.path(NAME))


@pytest.mark.parametrize(
    ("bridge", "vlan", "said"), [("a-bridge-with-16", 1, "15 characters"), ("br1", 4095, "VLAN 4095")]
)
def test_bridge_and_vlan_are_checked(call: Keywords, bridge: str, vlan: int, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        call("Create Bridge Network", "blue", bridge=bridge, vlan=vlan)


def test_vm_is_created_with_its_secret_when_started(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    assert not api.requests("POST", VM.path(NAME))
    call("Start VMs")
    assert [seen.path for seen in api.requests("POST")][-2:] == [SECRET.path(NAME), VM.path(NAME)]
    call("Start VMs")
    assert len(api.requests("POST", VM.path(NAME))) == 1


def test_nic_of_a_started_vm_is_refused(call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    with pytest.raises(BadInput, match="is started already"):
        call("Add NIC", "web", "late", network="blue")


def test_wrong_address_is_named(call: Keywords) -> None:
    call("Define VM", "web")
    with pytest.raises(BadInput, match=r'addresses "10\.0\.0\.300/24" of NIC "secondary" of VM web'):
        call("Add NIC", "web", "secondary", network="blue", addresses="10.0.0.300/24")


def test_ready_is_awaited(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    timer = threading.Timer(0.2, boot, args=(api,))
    timer.start()
    call("Wait Until VMs Are Ready", within=timedelta(seconds=10))
    assert call("Get VM Node", "web") == "n1"


def test_what_is_missing_to_ready_is_the_labs_fault_and_told(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    boot(
        api, interfaces=[{"name": "default", "ipAddress": "10.2.0.1"}], conditions=[{"type": "Ready", "status": "True"}]
    )
    with pytest.raises(LabError) as caught:
        call("Wait Until VMs Are Ready", within=timedelta(seconds=0.3))
    message = str(caught.value)
    assert f"VM {NAME}/web: AgentConnected absent, LiveMigratable absent" in message
    assert 'NIC "secondary" is not reported' in message


def test_vm_that_never_starts_is_told_with_its_pods_trouble(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    boot(api, phase="Scheduling", conditions=[], nodeName=None)
    uid = api.objects[VMI.path(NAME), "web"]["metadata"]["uid"]
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    labels = {"kubevirt.io/created-by": uid}
    api.put(POD.path(NAME), {"metadata": {"name": "p", "labels": labels}, "status": {"containerStatuses": [waiting]}})
    with pytest.raises(LabError, match=r"VMI phase Scheduling.*pod p: ImagePullBackOff: no such image"):
        call("Wait Until VMs Are Ready", within=timedelta(seconds=0.3))


def test_edit_of_a_vm_that_does_not_run_is_refused_before_anything_is_changed(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    with pytest.raises(
        BadInput, match=rf"VM {NAME}/web is not running .*call `Start VMs` and `Wait Until VMs Are Ready`"
    ):
        call("Change VM Network", "web", nic="secondary", network="green")
    assert not api.requests("PATCH", VM.path(NAME))


@pytest.mark.parametrize(
    ("nic", "network", "said"),
    [
        ("secondary", "Not_DNS", 'network "Not_DNS" is not the name of a NAD'),
        ("default", "green", "is on the pod network, which cannot be changed"),
        ("third", "green", 'has no NIC "third"; it has'),
    ],
)
def test_wrong_edit_is_refused(api: FakeApi, call: Keywords, nic: str, network: str, said: str) -> None:
    define_web(call)
    call("Start VMs")
    boot(api)
    with pytest.raises(BadInput) as caught:
        call("Change VM Network", "web", nic=nic, network=network)
    assert said in str(caught.value)
    assert not api.requests("PATCH", VM.path(NAME))


def test_unknown_vm_lists_those_there_are(call: Keywords) -> None:
    define_web(call)
    with pytest.raises(BadInput, match='VM "wbe" is not defined in this run; defined: web'):
        call("Change VM Network", "wbe", nic="secondary", network="green")


def test_edit_changes_network_name_alone_and_tests_what_it_replaces(api: FakeApi, run: Run, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    boot(api)
    call("Change VM Network", "web", nic="secondary", network="green")
    (patch,) = api.requests("PATCH", VM.path(NAME))
    assert patch.body == [
        {"op": "test", "path": "/spec/template/spec/networks/1/name", "value": "secondary"},
        {"op": "test", "path": "/spec/template/spec/networks/1/multus/networkName", "value": "blue"},
        {"op": "replace", "path": "/spec/template/spec/networks/1/multus/networkName", "value": "green"},
    ]
    swap = run.swaps["web"]
    assert (swap.old_network, swap.new_network, swap.before.node) == ("blue", "green", "n1")
    assert run.vm("web").nic("secondary").network == "green"


def test_edit_during_a_migration_is_refused(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    boot(api)
    migration: Object = {"metadata": {"name": "m"}, "spec": {"vmiName": "web"}, "status": {"phase": "Running"}}
    api.put(MIGRATION.path(NAME), migration)
    with pytest.raises(LabError, match="is being migrated already: m is Running"):
        call("Change VM Network", "web", nic="secondary", network="green")


def test_settling_judges_nothing(api: FakeApi, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    boot(api)
    call("Change VM Network", "web", nic="secondary", network="green")
    call("Wait Until Network Swap Has Settled", "web", within=timedelta(seconds=0.2))


def test_verdict_without_an_edit_is_bad_input(call: Keywords) -> None:
    define_web(call)
    with pytest.raises(BadInput, match='the network of VM "web" was not changed in this suite'):
        call("VM Should Not Have Been Restarted", "web")


def test_closing_removes_vms_first_and_the_namespace_last(api: FakeApi, run: Run, call: Keywords) -> None:
    define_web(call)
    call("Start VMs")
    closed: list[str] = []
    run.before_namespace_closes(lambda: closed.append("shells"))
    call("Close Test Namespace")
    removed = [seen.path.rsplit("/", 2)[1:] for seen in api.requests("DELETE")]
    assert removed == [["virtualmachines", "web"], ["namespaces", NAME], ["leases", "kubevirt-nad-tests-suite-r1"]]
    assert closed == ["shells"]
    assert (run.namespace, run.recorder, run.vms, run.ledger.entries) == (None, None, {}, [])


def test_what_is_in_a_namespace_that_stays_is_removed_piece_by_piece(api: FakeApi, run: Run, call: Keywords) -> None:
    define_web(call)
    api.faults = [Fault("DELETE", NAMESPACE.path(None, NAME), 403)]
    call("Close Test Namespace")
    removed = [seen.path.rsplit("/", 2)[1:] for seen in api.requests("DELETE")]
    assert removed[:3] == [
        ["namespaces", NAME],
        ["network-attachment-definitions", "green"],
        ["network-attachment-definitions", "blue"],
    ]
    assert [entry.name for entry in run.ledger.entries] == [NAME]


def test_nothing_is_left_of_a_run_that_ends_by_itself(api: FakeApi, run: Run, call: Keywords) -> None:
    define_web(call)
    call("Close Cluster")
    assert [path for path, _ in api.objects if f"/namespaces/{NAME}/" not in path] == []
    assert Run.current_or_none() is None
