# SPDX-License-Identifier: Apache-2.0
"""A swap whose migration the lab holds back: told with what is in the way, by each keyword that asks for its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from KubeVirtLibrary.base import _OF_A_COMPLETE_CHANGE, _cause_in_the_lab
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI
from livenad.api.status import AUTOMATIC, is_true
from livenad.errors import LabError, ProductFault
from livenad.ownership.labels import VM_LABEL

from tests.unit.libraries.conftest import LIBRARIES, NAME, Call, boot, open_suite
from tests.unit.support.fake_api import FakeApi, Object

SOON = timedelta(seconds=0.2)
MIGRATION_NAME = "kubevirt-workload-update-x"
QUOTA = (
    'Error creating pod: pods "virt-launcher-web-2" is forbidden: exceeded quota: compute, requested: pods=1, used: '
    "pods=1, limited: pods=1"
)
NO_ROOM = "0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 Insufficient memory."


@pytest.fixture
def swapped(api: FakeApi, started: Call) -> Call:
    """The VM runs, its network is edited, and the cluster has made a migration for it."""
    boot(api)
    started("Change VM Network", "web", nic="secondary", network="green")
    vm = api.objects[VM.path(NAME), "web"]
    required = [{"type": "MigrationRequired", "status": "True", "reason": "NetworkChange"}]
    boot(api, conditions=[{"type": name, "status": "True"} for name in ("Ready", "LiveMigratable")] + required)
    assert vm["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] == "green"
    put_migration(api)
    return started


def put_migration(api: FakeApi, *conditions: str, phase: str = "Pending") -> None:
    metadata = {"name": MIGRATION_NAME, "namespace": NAME, "annotations": {AUTOMATIC: ""}, "uid": "m1"}
    status = {"phase": phase, "conditions": [{"type": name, "status": "True"} for name in conditions]}
    api.put(MIGRATION.path(NAME), {"metadata": metadata, "spec": {"vmiName": "web"}, "status": status})


def put_target(api: FakeApi, **status: object) -> None:
    uid = api.objects[VMI.path(NAME), "web"]["metadata"]["uid"]
    labels = {VM_LABEL: "web", "kubevirt.io/created-by": uid, "kubevirt.io/migrationJobUID": "m1"}
    labels["kubevirt-nad-tests/run"] = "r1"
    api.put(POD.path(NAME), {"metadata": {"name": "target", "namespace": NAME, "labels": labels}, "status": status})


def put_warning(
    api: FakeApi,
    reason: str,
    message: str,
    about: tuple[str, str] = ("VirtualMachineInstanceMigration", MIGRATION_NAME),
) -> None:
    about_object = {"kind": about[0], "name": about[1], "namespace": NAME}
    event: Object = {"metadata": {"name": "e1", "namespace": NAME}, "involvedObject": about_object}
    api.put(EVENT.path(NAME), {**event, "type": "Warning", "reason": reason, "message": message})
    assert open_suite().recorder.wait_for(lambda history: history.records(EVENT), 5, "an event", str)


ASKED: list[tuple[str, dict[str, object]]] = [
    ("NIC Change Should Have Completed", {"nic": "secondary", "within": SOON}),
    ("VM Should Have Been Migrated", {}),
    ("Condition Should Have Been Cleared", {"within": SOON}),
]


def assert_told(call: Call, sees: Callable[[object], None]) -> None:
    for keyword, named in ASKED:
        arguments = ("web", "MigrationRequired") if keyword.startswith("Condition") else ("web",)
        with pytest.raises(LabError, match="it cannot be judged, as migration") as caught:
            call(keyword, *arguments, **named)
        sees(caught.value)


@pytest.mark.circumstance(
    "a quota has room for each VM, and none for the target of a migration",
    topic="rules",
    sees="it cannot be judged ... exceeded quota: compute ... A live migration needs room for a second launcher pod",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/kubevirt/issues/9238",
)
def test_quota_that_stops_only_the_target(api: FakeApi, swapped: Call, sees: Callable[[object], None]) -> None:
    put_migration(api, "migrationRejectedByResourceQuota")
    put_warning(api, "FailedCreate", QUOTA)
    assert_told(swapped, sees)


@pytest.mark.circumstance(
    "no other node has room for the target of a migration",
    topic="nodes",
    sees="it cannot be judged ... pod target: Unschedulable: ... 2 Insufficient memory ... no node takes the pod",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/kubevirt/issues/7779",
)
def test_target_that_no_node_takes(api: FakeApi, swapped: Call, sees: Callable[[object], None]) -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": NO_ROOM}
    put_migration(api, phase="Scheduling")
    put_target(api, phase="Pending", conditions=[unscheduled])
    assert_told(swapped, sees)


@pytest.mark.circumstance(
    "the node of a migration's target cannot pull an image",
    topic="nodes",
    sees="it cannot be judged ... pod target: ImagePullBackOff ... check that the nodes reach the registry",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/kubevirt/issues/10407",
)
def test_target_whose_image_does_not_come(api: FakeApi, swapped: Call, sees: Callable[[object], None]) -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "lab/disk:1"'}}
    put_migration(api, phase="Scheduling")
    put_target(api, phase="Pending", containerStatuses=[{"name": "compute", "state": waiting}])
    assert_told(swapped, sees)


def test_edit_after_one_that_is_held_back(api: FakeApi, swapped: Call) -> None:
    put_migration(api, "migrationRejectedByResourceQuota")
    put_warning(api, "FailedCreate", QUOTA)
    swapped("Change VM Network", "web", nic="secondary", network="blue", vm_state="any")
    with pytest.raises(LabError, match="exceeded quota: compute"):
        swapped("NIC Change Should Have Completed", "web", nic="secondary", within=SOON)


def test_migration_on_request_that_is_held_back(api: FakeApi, started: Call) -> None:
    boot(api)
    path = f"/apis/subresources.kubevirt.io/v1/namespaces/{NAME}/virtualmachines/web/migrate"
    api.answers["PUT", path] = {}
    started("Migrate VM", "web")
    metadata = {"name": "kubevirt-migrate-vm-1", "namespace": NAME, "uid": "m1"}
    api.put(MIGRATION.path(NAME), {"metadata": metadata, "spec": {"vmiName": "web"}, "status": {"phase": "Scheduling"}})
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": NO_ROOM}
    put_target(api, phase="Pending", conditions=[unscheduled])
    assert open_suite().recorder.wait_for(lambda history: history.all(POD), 5, "a pod", str)
    with pytest.raises(LabError, match="2 Insufficient memory"):
        started("VM Should Have Been Migrated", "web", requested_by="user")


def test_trouble_of_a_target_that_runs_is_over(api: FakeApi, swapped: Call) -> None:
    put_migration(api, phase="Scheduled")
    put_target(api, phase="Running")
    put_warning(api, "FailedScheduling", NO_ROOM, ("Pod", "target"))
    with pytest.raises(ProductFault):
        swapped("NIC Change Should Have Completed", "web", nic="secondary", within=SOON)


def test_what_the_product_did_wrong_stays_its_fault(api: FakeApi, swapped: Call) -> None:
    """Without a reason of the cluster's, and for what an obstacle does not explain."""
    with pytest.raises(ProductFault):
        swapped("NIC Change Should Have Completed", "web", nic="secondary", within=SOON)
    put_migration(api, "migrationRejectedByResourceQuota")
    put_warning(api, "FailedCreate", QUOTA)
    with pytest.raises(ProductFault, match="expected no migration"):
        swapped("VM Should Have Been Migrated", "web", times=0)
    vm = api.objects[VM.path(NAME), "web"]
    vm["status"] = {"conditions": [{"type": "RestartRequired", "status": "True"}]}
    api.put(VM.path(NAME), vm)
    assert open_suite().recorder.wait_for(
        lambda history: is_true(history.current(VM, "web") or {}, "RestartRequired"), 5, "it", str
    )
    with pytest.raises(ProductFault, match="RestartRequired"):
        swapped("Condition Should Never Have Been Set", "web", "RestartRequired")


def test_what_else_changed_is_told_of_a_complete_change_only(api: FakeApi, swapped: Call) -> None:
    """Until then conditions, and objects of the migration, are as they are in between."""
    put_migration(api, "migrationRejectedByResourceQuota")
    put_warning(api, "FailedCreate", QUOTA)
    open_suite().recorder.catch_up()
    fault = ProductFault(f"VM {NAME}/web: expected nothing else to change with the network")
    assert "exceeded quota: compute" in _cause_in_the_lab(fault, "Nothing Else Should Have Changed", {})


def test_keywords_of_a_complete_change_are_there() -> None:
    known = {name for library in LIBRARIES for name in library.keywords}
    assert known >= _OF_A_COMPLETE_CHANGE
