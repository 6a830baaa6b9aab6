"""Keywords that add, remove and edit NICs, on a scripted cluster: what they write, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from KubeVirtLibrary import KubeVirtLibrary
from livenad.api.client import Cluster
from livenad.api.kinds import VM, VMI
from livenad.context import Run
from livenad.errors import BadInput
from livenad.ownership.created_resources import Ledger
from livenad.settings import Settings
from livenad.virtual_machines.manifests import nic_mac

from tests.unit.support.fake_api import FakeApi, Object

NAME = "nad-swap-r1-1"
Call = Callable[..., Any]
INTERFACES = "/spec/template/spec/domain/devices/interfaces"


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
def call(run: Run) -> Call:
    """Calls a keyword for the VM "web", which is started and has a NIC "secondary" on network "blue"."""
    library = KubeVirtLibrary()
    for keyword, subjects, named in (
        ("Open Test Namespace", [], {}),
        ("Create Bridge Network", ["blue"], {"bridge": "br1", "vlan": 100}),
        ("Create Bridge Network", ["green"], {"bridge": "br1", "vlan": 200}),
        ("Define VM", ["web"], {}),
        ("Add NIC", ["web", "secondary"], {"network": "blue"}),
        ("Start VMs", [], {}),
    ):
        library.run_keyword(keyword, subjects, named)
    return lambda keyword, **named: library.run_keyword(keyword, ["web"], named)


def boot(api: FakeApi) -> None:
    """The VM's VMI runs."""
    spec = api.objects[VM.path(NAME), "web"]["spec"]["template"]["spec"]
    status = {"phase": "Running", "nodeName": "n1", "interfaces": [], "conditions": []}
    api.put(VMI.path(NAME), {"metadata": {"name": "web", "namespace": NAME}, "spec": spec, "status": status})


def patch_of(api: FakeApi) -> list[Object]:
    (patch,) = api.requests("PATCH", VM.path(NAME))
    return [operation for operation in patch.body if operation["op"] != "test"]


def test_hot_plug_adds_network_and_interface_in_one_patch(api: FakeApi, run: Run, call: Call) -> None:
    boot(api)
    call("Hot Plug NIC", nic="third", network="green", addresses="10.0.0.1/24")
    mac = nic_mac("r1", f"{NAME}/web", "third")
    assert patch_of(api) == [
        {
            "op": "add",
            "path": "/spec/template/spec/networks/-",
            "value": {"name": "third", "multus": {"networkName": "green"}},
        },
        {
            "op": "add",
            "path": f"{INTERFACES}/-",
            "value": {"name": "third", "bridge": {}, "macAddress": mac, "model": "virtio"},
        },
    ]
    assert run.vm("web").nic("third").mac == mac


def test_hot_unplug_marks_the_interface_absent(api: FakeApi, run: Run, call: Call) -> None:
    boot(api)
    call("Hot Unplug NIC", nic="secondary")
    assert patch_of(api) == [{"op": "add", "path": f"{INTERFACES}/1/state", "value": "absent"}]
    assert [nic.name for nic in run.vm("web").nics] == ["default"]


@pytest.mark.parametrize(
    ("keyword", "named", "said"),
    [
        ("Hot Plug NIC", {"nic": "secondary", "network": "green"}, 'has a NIC "secondary" already'),
        ("Hot Plug NIC", {"nic": "Third", "network": "green"}, "expected lower-case letters"),
        ("Hot Plug NIC", {"nic": "third", "network": "No NAD"}, "is not the name of a NAD"),
        ("Hot Plug NIC", {"nic": "third", "network": "green", "addresses": "10.0.0.x"}, "expected a list such as"),
        ("Hot Unplug NIC", {"nic": "default"}, "is on the pod network and cannot be unplugged"),
        ("Hot Unplug NIC", {"nic": "third"}, 'has no NIC "third"'),
        ("Edit NIC", {"nic": "secondary"}, "nothing is to be edited"),
        ("Edit NIC", {"nic": "secondary", "binding": "slirp"}, "expected one of bridge, masquerade"),
        ("Edit NIC", {"nic": "third", "model": "e1000e"}, 'has no NIC "third"'),
        ("NIC Should Have Been Plugged", {"nic": "secondary", "within": timedelta(1)}, "was plugged or unplugged"),
        ("Restart Should Be Asked For", {"within": timedelta(1)}, "call `Edit NIC` first"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_written(
    api: FakeApi, call: Call, keyword: str, named: dict[str, Any], said: str
) -> None:
    boot(api)
    with pytest.raises(BadInput) as caught:
        call(keyword, **named)
    assert said in str(caught.value)
    assert not api.requests("PATCH", VM.path(NAME))


@pytest.mark.parametrize(
    ("keyword", "named"),
    [
        ("Hot Plug NIC", {"nic": "third", "network": "green"}),
        ("Hot Unplug NIC", {"nic": "secondary"}),
        ("Edit NIC", {"nic": "secondary", "model": "e1000e"}),
    ],
)
def test_a_vm_that_does_not_run_is_refused(api: FakeApi, call: Call, keyword: str, named: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="is not running"):
        call(keyword, **named)
    assert not api.requests("PATCH", VM.path(NAME))


def test_a_mixed_edit_is_one_patch(api: FakeApi, call: Call) -> None:
    boot(api)
    call("Edit NIC", nic="secondary", binding="sriov", model="e1000e", network="green")
    assert patch_of(api) == [
        {"op": "remove", "path": f"{INTERFACES}/1/bridge"},
        {"op": "add", "path": f"{INTERFACES}/1/sriov", "value": {}},
        {"op": "add", "path": f"{INTERFACES}/1/model", "value": "e1000e"},
        {"op": "replace", "path": "/spec/template/spec/networks/1/multus/networkName", "value": "green"},
    ]


def test_an_edit_is_made_anew_when_the_vm_changed_meanwhile(api: FakeApi, call: Call) -> None:
    boot(api)

    def somebody_else() -> None:
        vm = api.objects[VM.path(NAME), "web"]
        vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"].insert(0, {"name": "first", "bridge": {}})
        api.put(VM.path(NAME), vm)

    api.once["PATCH"] = somebody_else
    call("Hot Unplug NIC", nic="secondary")
    stored = api.objects[VM.path(NAME), "web"]["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    assert {card["name"]: card.get("state") for card in stored} == {
        "first": None,
        "default": None,
        "secondary": "absent",
    }


def test_settling_judges_nothing(api: FakeApi, call: Call) -> None:
    boot(api)
    call("Hot Plug NIC", nic="third", network="green")
    call("Wait Until NIC Changes Have Settled", within=timedelta(seconds=0.2))
