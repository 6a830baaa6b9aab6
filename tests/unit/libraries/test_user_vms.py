# SPDX-License-Identifier: Apache-2.0
"""VMs of the user's own on a scripted cluster: used, read, and never removed unless the suite created them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from KubeVirtLibrary import KubeVirtLibrary, opening, user_vms, virtual_machines
from KubeVirtLibrary.base import SESSION
from KubeVirtLibrary.opening import close_suite
from livenad.api.client import Cluster
from livenad.api.kinds import NAD, NAMESPACE, SECRET, VM, VMI
from livenad.cluster.facts import read_facts, read_version
from livenad.context import Run
from livenad.errors import BadInput, LabError, TestError
from livenad.networks.attachment import Place
from livenad.ownership.labels import mark
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi, Object

HOME = "team-a"
Keywords = Callable[..., Any]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What keywords log and warn of."""
    told: list[str] = []
    for module in (virtual_machines, user_vms):
        monkeypatch.setattr(module, "step", told.append)
    monkeypatch.setattr(opening, "warn", told.append)
    return told


@pytest.fixture
def open_run(healthy: FakeApi, cluster: Cluster, lines: list[str]) -> Iterator[Callable[[Settings], Run]]:
    def opened(settings: Settings) -> Run:
        facts = read_facts(cluster, read_version(cluster))
        SESSION.run = Run(settings, cluster, facts, opened_in="", heartbeat=lambda _: None)
        return SESSION.run

    yield opened
    run = SESSION.run
    if run is not None:
        if run.suite is not None:
            run.suite.recorder.stop()
        run.created.lease.stop()
        SESSION.run = None


@pytest.fixture
def call() -> Keywords:
    library = KubeVirtLibrary()

    def called(name: str, *subjects: object, **named: Any) -> Any:
        return library.run_keyword(name, list(subjects), named)

    return called


@pytest.fixture
def shared(healthy: FakeApi, open_run: Callable[[Settings], Run], call: Keywords) -> Run:
    """A suite in a namespace that an administrator gave, with a VM in it that runs."""
    healthy.put(NAMESPACE.path(), {"metadata": {"name": HOME}})
    healthy.put(NAD.path(HOME), {"metadata": {"name": "blue", "namespace": HOME}})
    put_vm(healthy, "web")
    run = open_run(Settings(namespace=HOME, lease_namespace=HOME))
    call("Open Test Namespace")
    return run


@pytest.fixture
def own(open_run: Callable[[Settings], Run], call: Keywords) -> Run:
    """A suite in a namespace of its own."""
    run = open_run(Settings())
    call("Open Test Namespace")
    return run


def put_vm(api: FakeApi, name: str, network: str = "blue", namespace: str = HOME) -> None:
    spec = {
        "domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}, {"name": "secondary"}]}},
        "networks": [{"name": "default", "pod": {}}, {"name": "secondary", "multus": {"networkName": network}}],
    }
    interfaces = [
        {"name": "default", "mac": "02:AA:00:00:00:01", "ipAddress": "10.2.0.1"},
        {
            "name": "secondary",
            "mac": "02:AA:00:00:00:02",
            "ipAddresses": ["10.0.0.1", "fe80::1"],
            "interfaceName": "eth1",
            "podInterfaceName": "podc0f69e19ba2",
        },
    ]
    metadata = {"name": name, "namespace": namespace}
    vm = {"metadata": dict(metadata), "spec": {"template": {"spec": spec}}, "status": {"printableStatus": "Running"}}
    status = {"phase": "Running", "nodeName": "n1", "interfaces": interfaces}
    api.put(VM.path(namespace), vm)
    api.put(VMI.path(namespace), {"metadata": dict(metadata), "spec": spec, "status": status})


def deletions(api: FakeApi) -> list[str]:
    return [seen.path for seen in api.requests("DELETE")]


def test_an_existing_vm_is_recorded_under_its_own_name(healthy: FakeApi, shared: Run, call: Keywords) -> None:
    put_vm(healthy, "web-2")
    call("Use Existing VM", "web", addresses={"secondary": "10.0.0.1/24"})
    suite = shared.require_suite()
    record = suite.vms["web"]
    assert (record.name, record.origin) == ("web", "existing")
    assert [(nic.name, nic.mac, nic.network) for nic in record.nics] == [
        ("default", "02:aa:00:00:00:01", None),
        ("secondary", "02:aa:00:00:00:02", "blue"),
    ]
    assert suite.recorder.history.current(VMI, "web") is not None
    assert suite.recorder.history.current(VMI, "web-2") is None
    call("VM Should Not Have Restarted", "web")


def test_an_existing_vm_is_never_removed(healthy: FakeApi, shared: Run, call: Keywords) -> None:
    call("Use Existing VM", "web")
    with pytest.raises(TestError, match=r"^TEST ERROR: VM team-a/web existed before this suite and is not removed"):
        call("Delete VM", "web")
    call("Define VM", "ours")
    call("Start VMs")
    close_suite(shared)
    assert not [path for path in deletions(healthy) if path.endswith(("/web", f"/{HOME}", "/blue"))]
    assert any("virtualmachines/ours-" in path for path in deletions(healthy))
    assert (VM.path(HOME), "web") in healthy.objects
    assert (NAMESPACE.path(), HOME) in healthy.objects


def test_an_existing_vm_that_is_left_on_a_network_of_the_suite_is_warned_of(
    healthy: FakeApi, shared: Run, call: Keywords, lines: list[str]
) -> None:
    call("Create Network", "green", on=Place.bridge)
    call("Use Existing VM", "web")
    real = shared.networks.real_name("green")
    put_vm(healthy, "web", real)
    shared.require_suite().recorder.catch_up()
    close_suite(shared)
    told = [line for line in lines if "is removed with the suite" in line]
    assert told == [
        f'VM team-a/web: NIC "secondary" is on {real}, which is removed with the suite: put it on another network with '
        "`Change VM Network` before the suite ends"
    ]


def test_networks_that_were_there_keep_their_names(shared: Run, call: Keywords) -> None:
    call("Define VM", "ours")
    call("Add NIC", "ours", "secondary", network="blue")
    assert shared.require_suite().vms["ours"].nic("secondary").network == "blue"
    with pytest.raises(TestError, match='network "red" does not exist'):
        call("Add NIC", "ours", "third", network="red")


def test_a_vm_that_is_not_there_is_the_suites_fault(shared: Run, call: Keywords) -> None:
    with pytest.raises(TestError, match=r"VM team-a/wbe does not exist; existing VMs: web$"):
        call("Use Existing VM", "wbe")


def test_a_vm_of_a_run_of_these_libraries_is_refused(healthy: FakeApi, shared: Run, call: Keywords) -> None:
    body: Object = {"metadata": {"name": "theirs", "namespace": HOME}, "spec": {}}
    healthy.put(VM.path(HOME), mark(body, "k3x9ab"))
    with pytest.raises(TestError, match="was created by run k3x9ab of these libraries, which removes it"):
        call("Use Existing VM", "theirs")


def test_a_name_is_one_vms_only(shared: Run, call: Keywords) -> None:
    call("Use Existing VM", "web")
    for keyword in ("Use Existing VM", "Define VM"):
        with pytest.raises(TestError, match='VM "web" is already defined in namespace team-a'):
            call(keyword, "web")


def test_without_a_namespace_there_is_no_existing_vm(own: Run, call: Keywords) -> None:
    with pytest.raises(BadInput, match=r'variable NAMESPACE is "", and VM web must exist already'):
        call("Use Existing VM", "web")


def test_what_is_there_is_returned_as_data(shared: Run, call: Keywords) -> None:
    call("Use Existing VM", "web")
    vm, vmi = call("Get VM", "web"), call("Get VMI", "web")
    assert vm["status"]["printableStatus"] == "Running"
    assert vmi["status"]["nodeName"] == call("Get VM Node", "web") == "n1"
    vmi["status"].clear()
    assert call("Get VMI", "web")["status"]["phase"] == "Running", "what is returned is a copy"
    assert call("Get NIC", "web", nic="secondary") == {
        "name": "secondary",
        "mac": "02:aa:00:00:00:02",
        "network": "blue",
        "addresses": ["10.0.0.1", "fe80::1"],
        "guest_interface": "eth1",
        "pod_interface": "podc0f69e19ba2",
    }
    assert call("Get NIC", "web", nic="default")["addresses"] == ["10.2.0.1"]
    with pytest.raises(TestError, match='has no NIC "third"'):
        call("Get NIC", "web", nic="third")


def test_a_vm_that_does_not_run_has_no_vmi_to_return(healthy: FakeApi, shared: Run, call: Keywords) -> None:
    healthy.remove(VMI.path(HOME), "web")
    call("Use Existing VM", "web")
    for keyword in ("Get VMI", "Get VM Node"):
        with pytest.raises(LabError, match="VM team-a/web has no VirtualMachineInstance; its status: Running"):
            call(keyword, "web")
    assert call("Get NIC", "web", nic="secondary")["network"] == "blue"
    with pytest.raises(LabError, match="was not seen running, so nothing is proven"):
        call("VM Should Not Have Restarted", "web")


def test_a_vm_that_is_not_created_has_no_data(own: Run, call: Keywords) -> None:
    call("Define VM", "web")
    for keyword in ("Get VM", "Get VMI", "Get VM Node"):
        with pytest.raises(TestError, match="is not created yet; call `Start VMs` first"):
            call(keyword, "web")
    with pytest.raises(TestError, match="is not started; call `Start VMs` first"):
        call("Condition Should Never Have Been Set", "web", "RestartRequired")


def test_a_vm_that_was_created_is_deleted_by_its_uid_and_forgotten(healthy: FakeApi, own: Run, call: Keywords) -> None:
    home = own.require_suite().namespace.name
    call("Define VM", "web")
    call("Define VM", "other")
    call("Start VMs")
    uid = healthy.objects[VM.path(home), "web"]["metadata"]["uid"]
    call("Delete VM", "web", within=timedelta(seconds=5))
    assert deletions(healthy) == [VM.path(home, "web"), SECRET.path(home, "web-cloud-init")]
    assert healthy.requests("DELETE")[0].body["preconditions"] == {"uid": uid}
    assert (VM.path(home), "other") in healthy.objects
    with pytest.raises(TestError, match='VM "web" is not defined in this suite; defined: other'):
        call("Get VM", "web")
    call("Define VM", "web")
    call("Start VMs")
    assert (VM.path(home), "web") in healthy.objects


@pytest.mark.parametrize("late", [False, True], ids=["told", "not told by the watch"])
def test_a_vm_that_does_not_go_is_the_labs_fault(healthy: FakeApi, own: Run, call: Keywords, late: bool) -> None:
    home = own.require_suite().namespace.name
    call("Define VM", "web")
    call("Start VMs")
    if late:
        own.require_suite().recorder._streams[VMI].stop()
    healthy.put(VMI.path(home), {"metadata": {"name": "web", "namespace": home}, "status": {"phase": "Running"}})
    with pytest.raises(LabError, match=r"to be gone within 0.3 s; still there: VirtualMachineInstance web"):
        call("Delete VM", "web", within=timedelta(seconds=0.3))


def test_a_vm_from_a_manifest_is_created_started_and_removed(
    healthy: FakeApi, own: Run, call: Keywords, tmp_path: Path
) -> None:
    home = own.require_suite().namespace.name
    file = tmp_path / "vm.yaml"
    template: Object = {"spec": {"domain": {}}}
    manifest: Object = {
        "kind": "VirtualMachine",
        "apiVersion": "kubevirt.io/v1",
        "metadata": {"name": "a"},
        "spec": {"runStrategy": "Manual", "template": template},
    }
    file.write_text(yaml.safe_dump(manifest))
    start = f"/apis/subresources.kubevirt.io/v1/namespaces/{home}/virtualmachines/web/start"
    healthy.answers["PUT", start] = {}
    call("Define VM From Manifest", "web", file)
    call("Start VMs")
    stored = healthy.objects[VM.path(home), "web"]
    assert stored["spec"]["runStrategy"] == "Manual"
    assert [seen.path for seen in healthy.requests("PUT", "/start")] == [start]
    close_suite(own)
    assert VM.path(home, "web") in deletions(healthy)


def test_what_was_noted_is_told(own: Run, call: Keywords, lines: list[str]) -> None:
    call("Create Network", "blue", on=Place.bridge)
    call("Define VM", "web", memory="2Gi", cpu_cores=2)
    call("Add NIC", "web", "secondary", network="blue", addresses="10.0.0.1/24")
    home, mac = own.require_suite().namespace.name, own.require_suite().vms.mac
    assert lines[-2:] == [
        f"VM {home}/web defined: image quay.io/containerdisks/fedora:41, memory 2Gi, 2 CPU cores, "
        f'NIC "default" on the pod network, MAC {mac("web", "default")}, address by DHCP',
        f'VM {home}/web: NIC "secondary" on blue, MAC {mac("web", "secondary")}, 10.0.0.1/24 defined',
    ]


def test_a_guest_without_a_login_cannot_be_looked_into(shared: Run, call: Keywords) -> None:
    call("Use Existing VM", "web")
    guests = shared.require_suite().guests
    with pytest.raises(TestError, match="no login of its guest is known; give user= and password= or private_key="):
        guests.shell("web")


def test_a_guest_without_a_password_is_reached_over_ssh_alone(shared: Run, call: Keywords, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    call("Use Existing VM", "web", user="admin", private_key=key)
    guests = shared.require_suite().guests
    assert guests.shell("web").name == "guest team-a/web over SSH"
    with pytest.raises(LabError, match='no login on its console: no password was given for user "admin"'):
        guests.console("web")
