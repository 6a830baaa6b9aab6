# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a VM that was never changed: from when it was first seen running, and nothing is taken for granted."""

from __future__ import annotations

import copy

import pytest
from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VM, VMI, Kind, Object
from livenad.changes import Change, ChangeLog, before
from livenad.conditions.judge_conditions import Condition
from livenad.errors import LabError, ProductFault
from livenad.migrations.judge_migrations import judge_not_migrated
from livenad.migrations.judge_stayed import has_left, judge_stayed
from livenad.model import VmRecord
from livenad.observation import first_seen, judge_conditions_never_set
from livenad.virtual_machines.credentials import NO_LOGIN
from livenad.virtual_machines.judge_lifecycle import judge_ran_on

BOTH: tuple[Condition, ...] = ("RestartRequired", "MigrationRequired")


class Cluster:
    """What the recorder saw, as the tests tell it."""

    def __init__(self) -> None:
        self.history = History()
        self.record = VmRecord("web", "demo", NO_LOGIN, [])
        self._version = 100

    def see(self, kind: Kind, uid: str, type_: str = "MODIFIED", **content: object) -> None:
        self._version += 1
        name = "web" if kind in (VM, VMI) else uid
        metadata = {"name": name, "namespace": "demo", "uid": uid, "resourceVersion": str(self._version)}
        self.history.append(kind, type_, copy.deepcopy({"metadata": metadata, **content}))

    def vmi(self, uid: str = "u1", phase: str = "Running", node: str = "n1", *conditions: str) -> None:
        self.see(VMI, uid, status={"phase": phase, "nodeName": node, **_conditions(*conditions)})

    def vm(self, *conditions: str) -> None:
        self.see(VM, "v1", status=_conditions(*conditions))

    def migration(self, phase: str = "Succeeded") -> None:
        self.see(MIGRATION, "m1", spec={"vmiName": "web"}, status={"phase": phase})

    def seen(self, after: Change | None = None) -> Change:
        return first_seen(self.history, self.record, after)


def _conditions(*names: str) -> Object:
    return {"conditions": [{"type": name, "status": "True"} for name in names]}


@pytest.fixture
def running() -> Cluster:
    cluster = Cluster()
    cluster.vm()
    cluster.vmi(phase="Scheduled")
    cluster.vmi()
    return cluster


def test_a_vm_that_nothing_happened_to_passes_and_says_since_when(running: Cluster) -> None:
    seen = running.seen()
    running.vmi()
    assert (
        judge_ran_on(running.history, seen)
        == "VM demo/web: VMI u1 has kept running for 0.0 s since it was first seen running"
    )
    assert judge_stayed(running.history, seen).startswith("VM demo/web: stayed on n1 for 0.0 s since")
    assert judge_not_migrated(running.history, seen) == "VM demo/web: no migration since it was first seen running"
    assert judge_conditions_never_set(running.history, seen, BOTH).endswith(
        "RestartRequired and MigrationRequired in no state since it was first seen running, 0.0 s ago (2 later states)"
    )
    assert not has_left(running.history, seen)


def test_a_vm_that_was_not_seen_running_proves_nothing() -> None:
    cluster = Cluster()
    cluster.vm()
    cluster.vmi(phase="Scheduled")
    with pytest.raises(LabError, match=r"VM demo/web was not seen running, so nothing is proven; VMI phase Scheduled"):
        cluster.seen()


def test_what_was_recorded_of_an_earlier_vm_of_that_name_does_not_count(running: Cluster) -> None:
    running.record.recorded_from = len(running.history)
    with pytest.raises(LabError, match="was not seen running"):
        running.seen()


def test_conditions_of_a_vm_that_was_not_recorded_prove_nothing() -> None:
    cluster = Cluster()
    cluster.vmi()
    with pytest.raises(LabError, match="no VirtualMachine was recorded when it was first seen running"):
        judge_conditions_never_set(cluster.history, cluster.seen(), BOTH)


@pytest.mark.parametrize("end", ["replaced", "deleted", "failed", "paused", "gone"])
def test_a_restart_is_the_products_fault(running: Cluster, end: str) -> None:
    seen = running.seen()
    if end == "replaced":
        running.see(VMI, "u1", DELETED, status={"phase": "Running"})
        running.vmi("u2")
    elif end in ("deleted", "gone"):
        running.see(VMI, "u1", DELETED, status={"phase": "Running"})
    elif end == "failed":
        running.vmi(phase="Failed")
        running.vmi()
    else:
        running.vmi("u1", "Running", "n1", "Paused")
    with pytest.raises(ProductFault, match=r"^VM demo/web: expected "):
        judge_ran_on(running.history, seen)


def test_a_migration_and_another_node_are_the_products_fault(running: Cluster) -> None:
    seen = running.seen()
    running.migration()
    with pytest.raises(ProductFault, match=r"expected no migration, as nothing was changed; there is m1 \(Succeeded\)"):
        judge_stayed(running.history, seen)
    with pytest.raises(ProductFault, match="expected no migration since it was first seen running; there is m1"):
        judge_not_migrated(running.history, seen)
    assert has_left(running.history, seen)
    running.vmi(node="n2")
    running.vmi(node="n1")
    with pytest.raises(ProductFault, match=r"expected to stay on node n1, as nothing was changed; .* it was on n2"):
        judge_stayed(running.history, seen)


def test_a_migration_from_before_does_not_count() -> None:
    cluster = Cluster()
    cluster.vm()
    cluster.migration("Succeeded")
    cluster.vmi()
    judge_stayed(cluster.history, cluster.seen())


@pytest.mark.parametrize("condition", BOTH)
def test_a_condition_that_blinked_is_found(running: Cluster, condition: Condition) -> None:
    seen = running.seen()
    if condition == "RestartRequired":
        running.vm(condition)
        running.vm()
    else:
        running.vmi("u1", "Running", "n1", condition)
        running.vmi()
    with pytest.raises(ProductFault, match=f"expected no {condition} since it was first seen running"):
        judge_conditions_never_set(running.history, seen, BOTH)


def test_a_condition_that_stood_already_is_found() -> None:
    cluster = Cluster()
    cluster.vm("RestartRequired")
    cluster.vmi()
    with pytest.raises(ProductFault, match="expected no RestartRequired; the VirtualMachine had it when it was first"):
        judge_conditions_never_set(cluster.history, cluster.seen(), BOTH)


def test_after_a_restart_it_counts_from_the_next_vmi(running: Cluster) -> None:
    restart = Change(**before(running.history, running.record, "restart", "its restart"))
    running.vmi()
    with pytest.raises(LabError, match="was not seen running after its restart"):
        running.seen(restart)
    running.see(VMI, "u1", DELETED, status={"phase": "Running"})
    running.vmi("u2")
    seen = running.seen(restart)
    assert seen.vmi_uid == "u2"
    assert judge_ran_on(running.history, seen).endswith("since it was first seen running after its restart")


def test_changes_of_a_vm_that_is_deleted_are_forgotten(running: Cluster) -> None:
    log = ChangeLog()
    log.add(Change(**before(running.history, running.record, "migrate", "its requested migration")))
    assert log.has("web")
    log.forget("web")
    assert not log.has("web")
