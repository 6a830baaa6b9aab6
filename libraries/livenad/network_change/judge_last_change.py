# SPDX-License-Identifier: Apache-2.0
"""The verdict on several network changes of a VM: the last one is in effect, by however many migrations."""

from __future__ import annotations

from livenad.api.history import History
from livenad.api.kinds import VMI, Object, meta
from livenad.api.status import (
    FINAL_PHASES,
    condition_text,
    current_pod,
    elsewhere,
    is_true,
    migration_state,
    network_of,
    node_of,
    phase_of,
    pod_network,
    qualified,
)
from livenad.changes import NetworkChange, edits_of, migrations_concerned
from livenad.errors import NotReached
from livenad.foreign_migrations import maker_of
from livenad.text import human


def missing_effect(history: History, change: NetworkChange) -> list[str]:
    """Why the last edit of a VM is not in effect; empty when it is.

    Any number of migrations is accepted, as the cluster decides it, but all must have ended.
    """
    vmi = history.current(VMI, change.vm)
    if vmi is None or phase_of(vmi) != "Running":
        return [f"the VMI is {phase_of(vmi) if vmi else 'gone'}"]
    missing = []
    spec = network_of(vmi.get("spec", {}), change.nic) or ""
    wanted = qualified(change.new_network, change.namespace)
    if qualified(spec, change.namespace) != wanted:
        missing.append(f'the VMI\'s spec names "{spec}"')
    pod = current_pod(history, vmi)
    network = pod_network(pod, change.pod_interface) if pod else None
    if network != wanted:
        name = meta(pod, "name") if pod else "none"
        behind = elsewhere(pod, wanted) if pod else ""
        missing.append(
            f"launcher pod {name} on {node_of(vmi)} has {change.pod_interface} on {network or 'no network'}, expected "
            f"{wanted}{behind}"
        )
    for item in migrations_of_edits(history, change):
        if phase_of(item) not in FINAL_PHASES:
            missing.append(_unfinished(vmi, change, item))
    if is_true(vmi, "MigrationRequired"):
        missing.append(condition_text(vmi, "MigrationRequired"))
    return missing


def judge_last_edit(history: History, change: NetworkChange, within: float) -> str:
    """The last edit of a VM is in effect; the message says how many migrations all its edits took."""
    edits = edits_of(change)
    found = migrations_of_edits(history, change)
    listed = ", ".join(_describe(history, item) for item in found) or "none"
    if missing := missing_effect(history, change):
        others = "".join(f', before that to "{edit.new_network}"' for edit in reversed(edits[:-1]))
        waited = history.now - change.at
        raise NotReached(
            f"{change.title}{others}: expected the last edit to be in effect within {human(within)}, is not after "
            f"{human(waited)}: {'; '.join(missing)}; migrations: {listed}",
            overdue=waited > within,
        )
    took = human(history.now - change.at)
    vmi = history.current(VMI, change.vm) or {}
    return (
        f"{change.title}: in effect on {node_of(vmi)} {took} after the edit; {len(edits)} edits took {len(found)} "
        f"migrations: {listed}"
    )


def migrations_of_edits(history: History, change: NetworkChange) -> list[Object]:
    """The migration objects since the first edit of the VM, oldest first; before them one under way then."""
    return list(migrations_concerned(history, edits_of(change)[0]).values())


def _unfinished(vmi: Object, change: NetworkChange, migration: Object) -> str:
    name, phase, state = meta(migration, "name"), phase_of(migration), migration_state(vmi)
    ours = state.get("migrationUid") == meta(migration, "uid")
    if phase == "Running" and ours and state.get("completed"):
        return (
            f"migration {change.namespace}/{name} stays in phase Running with migrationState.completed=true, "
            "as can happen after an edit during a running migration; until the VM is deleted the VM cannot be migrated "
            f"again, and {node_of(vmi)} has one place less for migrations"
        )
    return f"migration {change.namespace}/{name} is {phase or 'new'}"


def _describe(history: History, migration: Object) -> str:
    return f"{meta(migration, 'name')} ({maker_of(history, migration)}, {phase_of(migration) or 'new'})"
