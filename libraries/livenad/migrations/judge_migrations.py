# SPDX-License-Identifier: Apache-2.0
"""Verdicts on how often a VM was migrated, and at whose request. Each returns what it saw, or raises ProductFault."""

from __future__ import annotations

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VMI, Object, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.status import (
    FINAL_PHASES,
    is_automatic,
    node_of,
    phase_of,
)
from livenad.changes import Change, NetworkChange, edits_of, migrations_since, require_observed
from livenad.errors import NotReached, ProductFault
from livenad.foreign_migrations import is_ours, maker_of, own_migrations
from livenad.text import human


def judge_migrated_on_request(history: History, change: Change) -> str:
    """The only migration since the change is the requested one; it succeeded and moved the same VMI."""
    found = list(own_migrations(history, change).values())
    listed = ", ".join(f"{meta(item, 'name')} is {phase_text(history, item)}" for item in found) or "there is none"
    ago = human(history.now - change.at)
    if len(found) != 1 or not is_ours(history, found[0]):
        fault = ProductFault if found else NotReached
        raise fault(f"{change.subject}: expected one migration, the one that was requested {ago} ago; {listed}")
    vmi = history.current(VMI, change.vm)
    if phase_of(found[0]) != "Succeeded":
        fault = ProductFault if phase_of(found[0]) == "Failed" else NotReached
        raise fault(f"{change.subject}: expected its migration to have succeeded after {ago}; {listed}")
    if vmi is None or meta(vmi, "uid") != change.vmi_uid:
        now = "gone" if vmi is None else f"replaced by {meta(vmi, 'uid')}"
        raise ProductFault(f"{change.subject}: expected VMI {change.vmi_uid} to be kept by its migration; it is {now}")
    for record in history.records(VMI, change.vm, change.index):
        if record.type == DELETED or phase_of(record.object) != "Running":
            raise ProductFault(
                f"{change.subject}: expected VMI phase Running all the time; it was {phase_of(record.object)} "
                f"{human(record.at - change.at)} after the migration was requested"
            )
    if node_of(vmi) in ("", change.node):
        raise ProductFault(
            f"{change.subject}: expected to have left node {change.node}; it is on {node_of(vmi) or 'none'}"
        )
    return f"{change.subject}: migrated from {change.node} to {node_of(vmi)} by {meta(found[0], 'name')}"


def judge_not_migrated(history: History, change: Change) -> str:
    """No migration object was made since the change."""
    require_observed(history, change, VMI)
    if found := migrations_since(history, change).values():
        names = ", ".join(f"{meta(item, 'name')} ({phase_text(history, item)})" for item in found)
        raise ProductFault(f"{change.subject}: expected no migration since {change.what}; there is {names}")
    return f"{change.subject}: no migration since {change.what}"


def judge_migrated_times(history: History, change: NetworkChange, times: int) -> str:
    """``times`` migrations since the first edit of the VM, all made by the cluster, all Succeeded."""
    first = edits_of(change)[0]
    found = list(own_migrations(history, first).values())
    listed = ", ".join(
        f"{meta(item, 'name')} ({maker_of(history, item)}, {phase_text(history, item)})" for item in found
    )
    good = [item for item in found if is_automatic(item) and phase_of(item) == "Succeeded"]
    if len(found) != times or len(good) != times:
        ended = all(phase_of(item) in FINAL_PHASES for item in found)
        fault = ProductFault if len(found) > times or (len(found) == times and ended) else NotReached
        raise fault(
            f"VM {change.namespace}/{change.vm}: expected {times} migrations made by the cluster since the first "
            "edit, all "
            f"succeeded; there are {len(found)}{': ' + listed if listed else ''}"
        )
    return f"VM {change.namespace}/{change.vm}: {times} migrations since the first edit: {listed}"


def judge_one_migration(history: History, change: NetworkChange) -> str:
    """The cluster made exactly one migration object after the edit, and it succeeded; no user requested another."""
    title = f"VM {change.namespace}/{change.vm}"
    found = own_migrations(history, change)
    if not found:
        raise NotReached(
            f"{title}: expected exactly one migration made by the cluster for the edit, there is none after "
            f"{human(history.now - change.at)}"
        )
    listed = ", ".join(_describe(history, change, item) for item in found.values())
    if len(found) > 1:
        raise ProductFault(f"{title}: expected exactly one migration for the edit, there are {len(found)}: {listed}")
    (migration,) = found.values()
    if not is_automatic(migration):
        raise ProductFault(
            f"{title}: expected a migration made by the cluster for the edit, this one was not: {listed}"
        )
    phases = [phase_of(record.object) for record in history.records(MIGRATION, meta(migration, "name"), change.index)]
    if phase_of(migration) != "Succeeded" or "Failed" in phases:
        fault = ProductFault if "Failed" in phases else NotReached
        raise fault(f"{title}: expected the migration for the edit to succeed; {listed}")
    return f"{title}: one migration, {listed}"


def _describe(history: History, change: NetworkChange, migration: Object) -> str:
    name, phase = meta(migration, "name"), phase_of(migration)
    maker = maker_of(history, migration)
    records = history.records(MIGRATION, name, change.index)
    times = {phase_of(record.object): record.at for record in reversed(records)}
    took = f" {human(times[phase] - change.at)} after the edit" if phase in FINAL_PHASES and phase in times else ""
    return f"{change.namespace}/{name} ({maker}, {phase or 'no phase'}{took})"
