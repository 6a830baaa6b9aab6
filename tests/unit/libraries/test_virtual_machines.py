# SPDX-License-Identifier: Apache-2.0
"""Keywords that define and start VMs, on a scripted cluster: what they create, what they refuse, what they wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from livenad.api.kinds import NAMESPACE, POD, SECRET, VM, VMI
from livenad.errors import LabError, ProductFault, TestError
from livenad.networks.attachment import Place
from livenad.ownership.labels import VM_LABEL

from tests.unit.libraries.conftest import NAME, Call, boot, open_suite
from tests.unit.support.fake_api import FakeApi

SOON = timedelta(seconds=0.3)


def actions(api: FakeApi) -> list[str]:
    """What was asked of the subresources of VMs, such as ``web/stop``."""
    return [
        "/".join(seen.path.rsplit("/", 2)[1:]) for seen in api.requests("PUT", f"namespaces/{NAME}/virtualmachines/")
    ]


def accept(api: FakeApi, *verbs: str) -> None:
    for verb in verbs:
        api.answers["PUT", f"/apis/subresources.kubevirt.io/v1/namespaces/{NAME}/virtualmachines/web/{verb}"] = {}


def test_vm_is_created_with_its_secret_when_started_and_once(api: FakeApi, web: Call) -> None:
    assert not api.requests("POST", VM.path())
    web("Start VMs")
    assert [seen.path for seen in api.requests("POST")][-2:] == [SECRET.path(NAME), VM.path(NAME)]
    web("Start VMs")
    assert len(api.requests("POST", VM.path(NAME))) == 1
    assert actions(api) == []


def test_only_the_named_vms_are_started(api: FakeApi, web: Call) -> None:
    web("Define VM", "later")
    web("Start VMs", "web")
    assert [name for path, name in api.objects if path == VM.path(NAME)] == ["web"]
    web("Start VMs")
    assert (VM.path(NAME), "later") in api.objects


def test_stop_start_and_restart_are_asked_of_the_subresources(api: FakeApi, started: Call) -> None:
    accept(api, "stop", "start", "restart")
    started("Stop VM", "web")
    started("Start VMs", "web")
    started("Restart VM", "web")
    assert actions(api) == ["web/stop", "web/start", "web/restart"]
    assert [change.action for change in open_suite().changes] == ["stop", "start", "restart"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Web_1", 'VM "Web_1": expected lower-case letters, digits and hyphens, 50 characters at most'),
        ("w" * 51, "50 characters at most"),
        ("web", 'VM "web" is already defined'),
    ],
)
def test_name_of_a_vm_is_checked(web: Call, name: str, said: str) -> None:
    with pytest.raises(TestError, match=said):
        web("Define VM", name)


@pytest.mark.parametrize(
    ("name", "named", "said"),
    [
        ("Third", {}, 'NIC "Third" of VM web: expected lower-case letters, digits and hyphens'),
        ("secondary", {}, 'NIC "secondary" of VM web is already defined; choose another name'),
        ("third", {"network": "No_NAD"}, 'network "No_NAD" is not the name of a NAD'),
        (
            "third",
            {"network": "red"},
            f'network "red" does not exist: there is no NAD {NAME}/red; networks of this suite: "blue", "green"',
        ),
        (
            "third",
            {"network": "elsewhere/red"},
            'network "elsewhere/red" does not exist: there is no NAD elsewhere/red; networks of this suite: "blue"',
        ),
        (
            "third",
            {"addresses": "10.0.0.1/24, 10.0.1.1"},
            'address "10.0.1.1" of NIC "third" has no prefix; expected an address with its prefix, such as',
        ),
        ("third", {"addresses": "10.0.0.300/24"}, 'address "10.0.0.300/24" of NIC "third": .*; expected an address'),
    ],
)
def test_wrong_nic_is_a_test_error_that_names_it(web: Call, name: str, named: dict[str, str], said: str) -> None:
    with pytest.raises(TestError, match=said):
        web("Add NIC", "web", name, **{"network": "blue", **named})
    assert [nic.name for nic in open_suite().vms["web"].nics] == ["default", "secondary"]


def test_network_that_somebody_else_made_is_taken(api: FakeApi, web: Call) -> None:
    path = "/apis/k8s.cni.cncf.io/v1/namespaces/elsewhere/network-attachment-definitions"
    api.put(path, {"metadata": {"name": "red", "namespace": "elsewhere"}})
    web("Add NIC", "web", "third", network="elsewhere/red")
    assert open_suite().vms["web"].nic("third").network == "elsewhere/red"


def test_nic_of_a_started_vm_is_refused(started: Call) -> None:
    with pytest.raises(TestError, match="is started already; `Add NIC` is for VMs that are not"):
        started("Add NIC", "web", "late", network="blue")


def test_unknown_vm_lists_those_there_are(web: Call) -> None:
    for keyword in ("Start VMs", "Stop VM", "Restart VM", "VM Should Not Have Restarted", "Record Guest"):
        with pytest.raises(TestError, match='VM "wbe" is not defined in this suite; defined: web; see `Define VM`'):
            web(keyword, "wbe")


def test_ready_is_awaited(api: FakeApi, started: Call) -> None:
    timer = threading.Timer(0.2, boot, args=(api,))
    timer.start()
    started("Wait Until VMs Are Ready", within=timedelta(seconds=10))
    timer.join()


def test_what_is_missing_to_ready_is_the_labs_fault_and_told(api: FakeApi, started: Call) -> None:
    boot(
        api, interfaces=[{"name": "default", "ipAddress": "10.2.0.1"}], conditions=[{"type": "Ready", "status": "True"}]
    )
    with pytest.raises(LabError) as caught:
        started("Wait Until VMs Are Ready", within=SOON)
    assert f"VM {NAME}/web: AgentConnected absent, LiveMigratable absent" in str(caught.value)
    assert 'NIC "secondary" is not reported' in str(caught.value)


def test_vm_that_never_starts_is_told_with_its_pods_trouble(api: FakeApi, started: Call) -> None:
    boot(api, phase="Scheduling", conditions=[], nodeName=None)
    uid = api.objects[VMI.path(NAME), "web"]["metadata"]["uid"]
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    labels = {"kubevirt.io/created-by": uid, VM_LABEL: "web"}
    api.put(POD.path(NAME), {"metadata": {"name": "p", "labels": labels}, "status": {"containerStatuses": [waiting]}})
    with pytest.raises(LabError, match=r"VMI phase Scheduling.*pod p: ImagePullBackOff: no such image"):
        started("Wait Until VMs Are Ready", within=SOON)


def test_waiting_for_vms_that_nobody_started_is_a_test_error(web: Call) -> None:
    with pytest.raises(TestError, match=f"no VM is started in namespace {NAME}; call `Start VMs` first"):
        web("Wait Until VMs Are Ready", within=SOON)


def test_restart_is_judged_by_the_vmi(api: FakeApi, started: Call) -> None:
    accept(api, "restart")
    boot(api)
    with pytest.raises(TestError, match=r"VM web was not changed yet \(restart or start\)"):
        started("VM Should Have Restarted", "web")
    started("Restart VM", "web")
    with pytest.raises(ProductFault, match=f"VM {NAME}/web"):
        started("VM Should Have Restarted", "web")
    api.remove(VMI.path(NAME), "web")
    boot(api)
    started("VM Should Have Restarted", "web")


def test_vm_that_was_neither_changed_nor_seen_running_cannot_be_judged(started: Call) -> None:
    with pytest.raises(LabError, match="VM nad-swap-r1-1/web was not seen running, so nothing is proven"):
        started("VM Should Not Have Restarted", "web")


@pytest.mark.parametrize(("recording", "judged"), [("swap-main", "judge_not_restarted"), ("plug-in-place-main", "")])
def test_running_on_is_judged_since_the_change(replayed: Callable[[str], Call], recording: str, judged: str) -> None:
    replayed(recording)("VM Should Not Have Restarted", "vm1")


@pytest.mark.parametrize("given", ["", "team-a"])
def test_vms_of_a_given_namespace_have_a_suffix_that_suites_leave_out(
    api: FakeApi, connect: Callable[..., Call], given: str
) -> None:
    api.put(NAMESPACE.path(), {"metadata": {"name": "team-a"}})
    call = connect(namespace=given)
    call("Open Test Namespace")
    call("Create Network", "blue", on=Place.bridge)
    for name in ("many-1", "many-2"):
        call("Define VM", name)
        call("Add NIC", name, "secondary", network="blue")
    call("Start VMs")
    suite = open_suite()
    suffix = suite.namespace.naming.suffix
    assert bool(suffix) == bool(given)
    made = sorted(name for path, name in api.objects if path == VM.path(suite.namespace.name))
    assert made == [f"many-1{suffix}", f"many-2{suffix}"]
    with pytest.raises(TestError, match=f'the network of VM "many-1{suffix}" was not changed'):
        call("NIC Change Should Have Completed", ["many-1", "many-2"], nic="secondary", within=timedelta(seconds=1))
    with pytest.raises(TestError, match='VM "few" is not defined'):
        call("NIC Change Should Have Completed", ["few"], nic="secondary", within=timedelta(seconds=1))
