# SPDX-License-Identifier: Apache-2.0
"""An induced migration failure: the target launcher pod is deleted, which the owner of a namespace may do.

No setting of the cluster is changed, and the cluster handles it like any other failed migration.
"""

from __future__ import annotations

import time

from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, POD, Object, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.recorder import Recorder
from livenad.api.status import FINAL_PHASES, is_automatic, phase_of, pod_trouble
from livenad.changes import NetworkChange, migrations_since
from livenad.errors import LabError, NotReached, ProductFault
from livenad.foreign_migrations import fault_or_undecided, own_migrations
from livenad.migrations.judge_induced_failure import InducedFailure
from livenad.text import human

JOB_UID = "kubevirt.io/migrationJobUID"
"""Label of a target launcher pod: the UID of its migration object."""


def induce_failure(client: Cluster, recorder: Recorder, change: NetworkChange, within: float) -> InducedFailure:
    """Delete the target pod of the edit's migration as soon as it exists, and wait until the migration is Failed.

    ProductFault when no migration with a target pod comes, or when it neither fails nor succeeds without its pod;
    LabError when the migration succeeded before the deletion. ``within`` seconds apply to each of the two waits.
    """
    found = recorder.wait_for(
        lambda history: target_of(history, change) or _succeeded_early(history, change),
        within,
        f"{change.title}: a target pod",
        lambda: _listed(recorder.history, change),
    )
    if found is None:
        fault = NotReached(
            f"{change.title}: expected a migration with a target pod within {human(within)} of now, there is none; "
            f"{_listed(recorder.history, change)}"
        )
        raise fault_or_undecided(recorder.history, change, fault)
    migration, pod = found
    if pod is None:
        raise _too_late(change, migration)
    name, uid, pod_name, at = meta(migration, "name"), meta(migration, "uid"), meta(pod, "name"), time.monotonic()
    client.delete(POD, pod_name, change.namespace, meta(pod, "uid"))
    ended = recorder.wait_for(
        lambda history: ended_as(history, name, uid),
        within,
        f"migration {name} without its target pod",
        lambda: _listed(recorder.history, change),
    )
    if ended is None:
        raise _stuck(recorder.history, change, name, pod_name, at)
    phase, index = ended
    if phase == "Succeeded":
        raise _too_late(change, migration)
    return InducedFailure(change, name, uid, pod_name, at, index)


def target_of(history: History, change: NetworkChange) -> tuple[Object, Object | None] | None:
    """The first unfinished migration that the cluster made for the edit and its target pod, once there is one."""
    for uid, migration in migrations_since(history, change).items():
        if not is_automatic(migration) or phase_of(migration) in FINAL_PHASES:
            continue
        for pod in history.all(POD, vm=change.vm):
            if meta(pod, "labels", {}).get(JOB_UID) == uid:
                return migration, pod
    return None


def ended_as(history: History, name: str, uid: str) -> tuple[str, int] | None:
    """Final phase of a migration object and the index of the state that first had it; it may be gone by now."""
    for record in history.records(MIGRATION, name):
        if record.uid == uid and phase_of(record.object) in FINAL_PHASES:
            return phase_of(record.object), record.index
    return None


def _succeeded_early(history: History, change: NetworkChange) -> tuple[Object, Object | None] | None:
    """A migration that Succeeded before its target pod was seen."""
    for migration in own_migrations(history, change).values():
        if phase_of(migration) == "Succeeded":
            return migration, None
    return None


def _too_late(change: NetworkChange, migration: Object) -> LabError:
    return LabError(
        f"{change.title}: migration {change.namespace}/{meta(migration, 'name')} had Succeeded before the "
        "deletion of its "
        "target pod, so nothing can be judged; run again, or give the VM more memory (VM_MEMORY) "
        "so that its copy takes longer"
    )


def _stuck(history: History, change: NetworkChange, name: str, pod: str, at: float) -> Exception:
    """Neither Failed nor Succeeded: the lab's fault while the pod is still there, else the product's."""
    waited, left = human(time.monotonic() - at), history.current(POD, pod)
    if left is not None:
        return LabError(
            f"target pod {change.namespace}/{pod} is still there {waited} after its deletion was accepted (phase "
            f"{phase_of(left) or 'not set'}{_because(left)}); look at its node's kubelet"
        )
    phase = phase_of(history.current(MIGRATION, name) or {})
    return ProductFault(
        f"{change.title}: expected migration {change.namespace}/{name} to be Failed without its target pod "
        f"{pod}; it is "
        f"{phase or 'gone'} {waited} after the pod was deleted"
    )


def _because(pod: Object) -> str:
    why = pod_trouble(pod)
    return f", {why}" if why else ""


def _listed(history: History, change: NetworkChange) -> str:
    found = migrations_since(history, change).values()
    return ", ".join(f"{meta(item, 'name')} is {phase_text(history, item)}" for item in found) or "no migration object"
