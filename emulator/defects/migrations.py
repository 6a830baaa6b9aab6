# SPDX-License-Identifier: Apache-2.0
"""Migrations that do not come, come too often, or fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..controlplane import names
from ..controlplane.accessors import annotations_of, is_deleting, labels_of, migration_state, networks, phase
from ..controlplane.migration.failed_vmis import FailedVmis
from ..controlplane.migration.phases import Step, failed
from ..controlplane.network.evaluator import Need
from ..dataplane.model import DataPlane
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.kubelet import PodGone
from ..nodeagent.sandboxes import Sandbox
from ..pace import clock


def _and_their_likes(candidates: list[Obj], *, vmis: list[Obj], **_: Any) -> list[Obj]:
    shapes = {_shape(vmi) for vmi in candidates}
    return [vmi for vmi in vmis if _shape(vmi) in shapes and phase(vmi) == "Running" and not is_deleting(vmi)]


def _shape(vmi: Obj) -> tuple[str, ...]:
    """Namespace and names of the networks, which the names of pod interfaces are derived from."""
    return (vmi["metadata"]["namespace"], *(network["name"] for network in networks(vmi["spec"])))


BYSTANDERS_ARE_MIGRATED = Defect(
    name="bystanders-are-migrated",
    sentence="When one VM is to be migrated for its edit, the VMs of its namespace whose NICs have the same names are "
    "migrated as well.",
    rows=("R39", "R42", "R47"),
    point="updater.candidates",
    change=_and_their_likes,
)


GAP = 2.0


def _at_once(waits: bool, *, migration: Obj | None, **_: Any) -> bool:
    return waits and (migration is None or names.EVACUATION not in annotations_of(migration))


def _late(gap: float, *, vmi: Obj, **_: Any) -> float:
    return GAP if vmi["status"].get("evacuationNodeName") else gap


EDIT_UNDER_EVACUATION_WEDGES_MIGRATION = Defect(
    name="edit-under-evacuation-wedges-migration",
    sentence="A NAD edit that comes while a VM is evacuated leaves the evacuation's migration in Running for good.",
    rows=("R50",),
    point="vmi.waits_for_hand_over",
    change=_at_once,
    also=(("agent.completion_gap", _late),),
)


class _OnceMore:
    """Knows the migration during which each VMI was evicted first."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, mark: str, *, vmi: Obj, node: str, **_: Any) -> str:
        if not vmi["status"].get("evacuationNodeName"):
            return mark
        migration = migration_state(vmi)["migrationUid"]
        return node if self._first.setdefault(vmi["metadata"]["uid"], migration) == migration else mark


EVICTION_OUTLIVES_SWAP = Defect(
    name="eviction-outlives-swap",
    sentence="The migration for an edit does not serve an eviction that comes meanwhile: the VM is then evacuated "
    "once more, from the node that it was migrated to.",
    rows=("R49",),
    point="agent.evacuation_mark",
    change=_OnceMore(),
)


_failures = FailedVmis()


def _forgets(need: Need, *, vmi: Obj, **_: Any) -> Need:
    return Need.NONE if vmi in _failures else need


FAILED_MIGRATION_FORGOTTEN = Defect(
    name="failed-migration-forgotten",
    sentence="A migration that fails takes MigrationRequired with it: the edit is not in effect and no condition says "
    "so.",
    rows=("R21",),
    point="vmi.migration_required",
    change=_forgets,
    also=(("migration.step", _failures.note),),
)


JOB_UID = "kubevirt.io/migrationJobUID"


def _and_unplug_the_source(actions: list[PodGone], *, pod: Obj, siblings: Sequence[Sandbox], **_: Any) -> list[PodGone]:
    if JOB_UID not in pod["metadata"].get("labels", {}):
        return actions

    async def unplug(dataplane: DataPlane) -> None:
        for sandbox in siblings:
            for attachment in sandbox.attachments:
                await dataplane.detach(sandbox.uid, attachment.interface)

    return [*actions, unplug]


FAILED_MIGRATION_LOSES_NETWORK = Defect(
    name="failed-migration-loses-network",
    sentence="When the target pod of a migration goes, the pod that the guest stays in loses its networks as well.",
    rows=("R21",),
    point="agent.after_pod_removal",
    change=_and_unplug_the_source,
)


_given_up = FailedVmis()


def _gives_up(candidates: list[Obj], **_: Any) -> list[Obj]:
    return [vmi for vmi in candidates if vmi not in _given_up]


FAILED_MIGRATION_NOT_RETRIED = Defect(
    name="failed-migration-not-retried",
    sentence="After a migration that failed the workload updater makes no other one for that VM.",
    rows=("R21",),
    point="updater.candidates",
    change=_gives_up,
    also=(("migration.step", _given_up.note),),
)


def _again(need: Need, *, vmi: Obj, **_: Any) -> Need:
    return Need.IMMEDIATE if migration_state(vmi) else need


MIGRATES_FOR_EVER = Defect(
    name="migrates-for-ever",
    sentence="A VM that was migrated for an edit asks for one migration after the other, without end.",
    rows=("R2",),
    point="vmi.migration_required",
    change=_again,
)


class _MigratesTwice:
    """Knows the pod that each VMI was migrated to first."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
        uid = vmi["metadata"]["uid"]
        if names.MIGRATION_JOB_UID in labels_of(pod) and migration_state(vmi).get("completed"):
            self._first.setdefault(uid, pod["metadata"]["uid"])
        return Need.IMMEDIATE if self._first.get(uid) == pod["metadata"]["uid"] else need


MIGRATES_TWICE = Defect(
    name="migrates-twice",
    sentence="The cluster migrates the VM once more after the migration that completed the swap.",
    rows=("R2", "R27", "R34", "R44", "R52"),
    point="vmi.migration_required",
    change=_MigratesTwice(),
)


def _migrate_anyway(_methods: list[str], **_: Any) -> list[str]:
    return ["LiveMigrate"]


MIGRATES_WITHOUT_METHODS = Defect(
    name="migrates-without-methods",
    sentence="The cluster migrates a VM by itself although its workloadUpdateMethods are empty.",
    rows=("R35",),
    point="updater.methods",
    change=_migrate_anyway,
)


def _broken(_reason: str, **_: Any) -> str:
    return "internal error: client socket is closed"


MIGRATION_ALWAYS_FAILS = Defect(
    name="migration-always-fails",
    sentence="Every live migration fails at the end of its copy.",
    rows=("R1", "R2", "R4", "R9", "R21"),
    point="agent.migration_failure",
    change=_broken,
)


def _only_the_updaters(step: Step | None, *, migration: Obj, **_: Any) -> Step | None:
    asked = names.WORKLOAD_UPDATE not in annotations_of(migration)
    return failed("Migration refused") if asked and step is not None and step.phase == "Scheduling" else step


MIGRATION_BY_HAND_FAILS = Defect(
    name="migration-by-hand-fails",
    sentence="Only the migrations that the cluster makes by itself work; those that an administrator asks for fail.",
    rows=("R4", "R10"),
    point="migration.step",
    change=_only_the_updaters,
)


class _FirstOne:
    """Knows the VMIs that have had their failure."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def __call__(self, reason: str, *, vmi: Obj, **_: Any) -> str:
        uid = vmi["metadata"]["uid"]
        if uid in self._failed:
            return reason
        self._failed.add(uid)
        return "internal error: client socket is closed"


MIGRATION_FAILS_ONCE = Defect(
    name="migration-fails-once",
    sentence="The first live migration of each VM fails without a reason; the next one works.",
    rows=("R2", "R4"),
    point="agent.migration_failure",
    change=_FirstOne(),
)


def _nobody(_candidates: list[Any], **_: Any) -> list[Any]:
    return []


MIGRATION_NEVER_REQUESTED = Defect(
    name="migration-never-requested",
    sentence="The edit is taken over and signalled, but the workload updater never creates a migration.",
    rows=("R1", "R2", "R9"),
    point="updater.candidates",
    change=_nobody,
)


def _never(step: Step | None, **_: Any) -> Step | None:
    return None if step is not None and step.phase == "Scheduled" else step


MIGRATION_NEVER_SCHEDULED = Defect(
    name="migration-never-scheduled",
    sentence="The migration for the edit is made, and stays in phase Scheduling for good.",
    rows=("R1", "R2", "R9", "R34", "R36"),
    point="migration.step",
    change=_never,
)


class _Pretender:
    """Calls a migration succeeded once its target pod is there, and the VM's need for it met."""

    def __init__(self) -> None:
        self._met: set[str] = set()

    def step(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        if step is None or vmi is None or step.phase != "Scheduled":
            return step
        self._met.add(vmi["metadata"]["uid"])
        return Step("Succeeded", ("Normal", "SuccessfulMigration", "Source node reported migration succeeded"))

    def need(self, need: Need, *, vmi: Obj, **_: Any) -> Need:
        return Need.NONE if vmi["metadata"]["uid"] in self._met else need


_pretender = _Pretender()


MIGRATION_SUCCEEDS_IN_PLACE = Defect(
    name="migration-succeeds-in-place",
    sentence="The migration is called Succeeded although the VM never left its node.",
    rows=("R1", "R2", "R9"),
    point="vmi.migration_required",
    change=_pretender.need,
    also=(("migration.step", _pretender.step),),
)


_QUEUED_SECONDS = 1.5


_pending_since: dict[str, float] = {}


def _forget(step: Step | None, *, migration: dict[str, Any], **_: Any) -> Step | None:
    if migration.get("status", {}).get("phase") != "Pending":
        return step
    now = clock()
    since = _pending_since.setdefault(migration["metadata"]["uid"], now)
    forgotten = step is not None and step.phase == "Scheduling" and now - since > _QUEUED_SECONDS
    return None if forgotten else step


QUEUED_MIGRATION_FORGOTTEN = Defect(
    name="queued-migration-forgotten",
    sentence="A migration that had to wait for the cluster's limits stays in phase Pending for good.",
    rows=("R32",),
    point="migration.step",
    change=_forget,
)


def _never_waits(_waits: bool, **_: Any) -> bool:
    return False


def _always_late(_gap: float, **_: Any) -> float:
    return GAP


SECOND_EDIT_WEDGES_MIGRATION = Defect(
    name="second-edit-wedges-migration",
    sentence="A VM asks for its next migration before the one that ended is called Succeeded, which it never is then.",
    rows=("R40",),
    point="vmi.waits_for_hand_over",
    change=_never_waits,
    also=(("agent.completion_gap", _always_late),),
)
