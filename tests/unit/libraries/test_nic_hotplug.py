# SPDX-License-Identifier: Apache-2.0
"""Keywords that plug NICs into running VMs, and look for them in guests: what they write, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from livenad.api.kinds import VM
from livenad.changes import NicHotplug
from livenad.errors import TestError
from livenad.virtual_machines.manifests import nic_mac

from tests.unit.libraries.conftest import NAME, Call, boot, open_suite
from tests.unit.support.fake_api import FakeApi, Object

INTERFACES = "/spec/template/spec/domain/devices/interfaces"
SOON = timedelta(seconds=0.2)


def patch_of(api: FakeApi) -> list[Object]:
    (patch,) = api.requests("PATCH", VM.path(NAME))
    return [operation for operation in patch.body if operation["op"] != "test"]


def test_hot_plug_adds_network_and_interface_in_one_patch(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Hot Plug NIC", "web", nic="third", network="green", addresses="10.0.0.1/24")
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
    assert open_suite().vms["web"].nic("third").mac == mac
    assert [change.plugged for change in open_suite().changes.of(NicHotplug, "web")] == [True]


def test_hot_unplug_marks_the_interface_absent(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Hot Unplug NIC", "web", nic="secondary")
    assert patch_of(api) == [{"op": "add", "path": f"{INTERFACES}/1/state", "value": "absent"}]
    assert [nic.name for nic in open_suite().vms["web"].nics] == ["default"]


def test_nic_that_was_unplugged_can_be_judged_and_one_that_never_was_is_told(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Hot Unplug NIC", "web", nic="secondary")
    with pytest.raises(AssertionError, match='NIC "secondary"'):
        started("NIC Change Should Have Completed", "web", nic="secondary", within=SOON)
    with pytest.raises(TestError, match='NIC "default" of VM web was not changed in this suite; changed were: "sec'):
        started("NIC Change Should Have Completed", "web", nic="default", within=SOON)
    with pytest.raises(TestError, match=r"has no NIC \"third\"; it has: \['default'\]"):
        started("NIC Change Should Have Completed", "web", nic="third", within=SOON)


@pytest.mark.parametrize(
    ("keyword", "named", "said"),
    [
        ("Hot Plug NIC", {"nic": "secondary", "network": "green"}, "is already defined; choose another name"),
        ("Hot Plug NIC", {"nic": "Third", "network": "green"}, "expected lower-case letters"),
        ("Hot Plug NIC", {"nic": "third", "network": "No NAD"}, "is not the name of a NAD"),
        ("Hot Plug NIC", {"nic": "third", "network": "red"}, 'network "red" does not exist'),
        ("Hot Plug NIC", {"nic": "third", "network": "green", "addresses": "10.0.0.x/24"}, "such as 10.10.0.10/24"),
        ("Hot Plug NIC", {"nic": "third", "network": "green", "addresses": "10.0.0.1"}, "has no prefix"),
        ("Hot Unplug NIC", {"nic": "default"}, "is on the pod network and cannot be unplugged"),
        ("Hot Unplug NIC", {"nic": "third"}, 'has no NIC "third"; it has'),
        ("Configure Guest NIC", {"nic": "third", "within": SOON}, 'has no NIC "third"; it has'),
    ],
)
def test_wrong_input_is_refused_before_anything_is_written(
    api: FakeApi, started: Call, keyword: str, named: dict[str, Any], said: str
) -> None:
    boot(api)
    with pytest.raises(TestError) as caught:
        started(keyword, "web", **named)
    assert said in str(caught.value)
    assert not api.requests("PATCH", VM.path(NAME))


@pytest.mark.parametrize("state", ["present", "absent"])
def test_guest_is_not_asked_for_a_nic_that_the_vm_never_had(started: Call, state: str) -> None:
    with pytest.raises(TestError, match='has no NIC "third"; it has'):
        started("Guest NIC Should Be", "web", "third", state)


@pytest.mark.parametrize(
    ("keyword", "named"),
    [("Hot Plug NIC", {"nic": "third", "network": "green"}), ("Hot Unplug NIC", {"nic": "secondary"})],
)
def test_a_vm_that_does_not_run_is_refused(api: FakeApi, started: Call, keyword: str, named: dict[str, Any]) -> None:
    with pytest.raises(TestError, match="is not running"):
        started(keyword, "web", **named)
    assert not api.requests("PATCH", VM.path(NAME))
    assert list(open_suite().changes) == []


def test_an_edit_is_made_anew_when_the_vm_changed_meanwhile(api: FakeApi, started: Call) -> None:
    boot(api)

    def somebody_else() -> None:
        vm = api.objects[VM.path(NAME), "web"]
        vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"].insert(0, {"name": "first", "bridge": {}})
        api.put(VM.path(NAME), vm)

    api.once["PATCH"] = somebody_else
    started("Hot Unplug NIC", "web", nic="secondary")
    stored = api.objects[VM.path(NAME), "web"]["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    assert {card["name"]: card.get("state") for card in stored} == {
        "first": None,
        "default": None,
        "secondary": "absent",
    }


def test_settling_judges_nothing(api: FakeApi, started: Call) -> None:
    boot(api)
    started("Hot Plug NIC", "web", nic="third", network="green")
    started("Wait Until Change Has Settled", "web", within=SOON)
