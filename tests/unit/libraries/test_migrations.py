# SPDX-License-Identifier: Apache-2.0
"""Keywords on migrations: requests on a scripted cluster, verdicts on what was recorded of real ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from livenad.api.kinds import POD, VMI
from livenad.changes import network_change
from livenad.errors import LabError, ProductFault, TestError

from tests.unit.libraries.conftest import NAME, Call, boot, open_suite
from tests.unit.support.fake_api import FakeApi, Fault

SOON = timedelta(seconds=0.2)
Replayed = Callable[[str], Call]


def test_migration_is_asked_for_as_virtctl_does(api: FakeApi, started: Call) -> None:
    boot(api)
    path = f"/apis/subresources.kubevirt.io/v1/namespaces/{NAME}/virtualmachines/web/migrate"
    api.answers["PUT", path] = {}
    started("Migrate VM", "web")
    assert [(seen.path, seen.body) for seen in api.requests("PUT", "/migrate")] == [(path, {})]
    (change,) = open_suite().changes
    assert (change.action, change.node) == ("migrate", "n1")
    with pytest.raises(ProductFault, match=f"VM {NAME}/web"):
        started("VM Should Have Been Migrated", "web", requested_by="user")


def test_eviction_is_asked_for_and_judged_by_the_node(api: FakeApi, started: Call) -> None:
    boot(api)
    vmi = api.objects[VMI.path(NAME), "web"]
    vmi["spec"]["evictionStrategy"] = "LiveMigrate"
    vmi = api.put(VMI.path(NAME), vmi)
    labels = {"kubevirt.io/created-by": vmi["metadata"]["uid"], "vm.kubevirt.io/name": "web"}
    api.put(POD.path(NAME), {"metadata": {"name": "launcher", "labels": labels}, "spec": {"nodeName": "n1"}})
    said = f'admission webhook "x" denied the request: Eviction triggered evacuation of VMI "{NAME}/web"'
    api.faults.append(Fault("POST", "/eviction", 429, after=True, message=said))
    api.answers["POST", f"{POD.path(NAME, 'launcher')}/eviction"] = {}
    api.once["POST"] = lambda: put_status(evacuationNodeName="n1")

    def put_status(**status: str) -> None:
        api.put(VMI.path(NAME), vmi | {"status": vmi["status"] | status})

    started("Evict VM", "web")
    (change,) = open_suite().changes
    assert (change.action, change.node) == ("evict", "n1")
    with pytest.raises(ProductFault, match=f"VM {NAME}/web: expected to have left n1"):
        started("VM Should Have Been Evacuated", "web", within=SOON)
    put_status(nodeName="n2")
    started("Wait Until Change Has Settled", "web", within=SOON)
    started("VM Should Have Been Evacuated", "web", within=timedelta(seconds=60))


def test_one_migration_is_counted_as_one(replayed: Replayed) -> None:
    call = replayed("swap-main")
    call("VM Should Have Been Migrated", "vm1")
    for times in (0, 2):
        with pytest.raises(ProductFault, match="vm1"):
            call("VM Should Have Been Migrated", "vm1", times=times)
    with pytest.raises(ProductFault, match="vm1"):
        call("VM Should Have Stayed On Its Node", "vm1")


def test_vm_that_is_not_migrated_stays(replayed: Replayed) -> None:
    call = replayed("gate-off-1.8.4")
    call("VM Should Have Been Migrated", "vm1", times=0)
    call("VM Should Have Stayed On Its Node", "vm1")
    with pytest.raises(ProductFault, match="vm1"):
        call("VM Should Have Been Migrated", "vm1")


def test_failed_migration_is_one_too_many(replayed: Replayed) -> None:
    with pytest.raises(ProductFault, match=r"expected exactly one migration for the edit, there are 2: .*Failed"):
        replayed("failed-migration-main")("VM Should Have Been Migrated", "vm1")


def test_vm_that_goes_back_needs_a_control(replayed: Replayed) -> None:
    call = replayed("gate-off-1.8.4")
    suite = open_suite()
    suite.changes.add(network_change(suite.recorder.history, suite.vms["vm1"], "net1", "nad-a"))
    with pytest.raises(TestError, match=r"leads back to the same network; expected control=<VM>"):
        call("VM Should Have Stayed On Its Node", "vm1")


@pytest.mark.parametrize(
    ("keyword", "named"), [("VM Should Have Been Migrated", {"times": 0}), ("VM Should Have Stayed On Its Node", {})]
)
def test_vm_that_was_neither_changed_nor_seen_running_cannot_be_judged(
    started: Call, keyword: str, named: dict[str, Any]
) -> None:
    with pytest.raises(LabError, match="VM nad-swap-r1-1/web was not seen running, so nothing is proven"):
        started(keyword, "web", **named)


@pytest.mark.parametrize(
    ("keyword", "named", "said"),
    [
        ("VM Should Have Been Migrated", {}, 'the network of VM "web" was not changed in this suite'),
        ("VM Should Have Been Migrated", {"requested_by": "user"}, r"VM web was not changed yet \(migrate\)"),
        ("VM Should Have Been Migrated", {"requested_by": "user", "times": 2}, "times is 2; expected 1"),
        ("Induce Migration Failure", {"within": SOON}, "call `Change VM Network` first"),
    ],
)
def test_verdict_without_its_change_is_a_test_error(
    started: Call, keyword: str, named: dict[str, Any], said: str
) -> None:
    with pytest.raises(TestError, match=said):
        started(keyword, "web", **named)


@pytest.mark.parametrize(
    ("keyword", "named"), [("VM Should Have Been Migrated", {"times": 0}), ("VM Should Have Stayed On Its Node", {})]
)
def test_what_was_not_observed_is_never_a_pass(started: Call, keyword: str, named: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="web was not seen running, so nothing is proven"):
        started(keyword, "web", **named)
