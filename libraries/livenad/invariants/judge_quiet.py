# SPDX-License-Identifier: Apache-2.0
"""The time after a network change: from its completion on nothing more may happen by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from livenad.api.history import DELETED, History, Record
from livenad.api.kinds import MIGRATION, POD, VM, VMI, Kind, Object, dig, meta
from livenad.api.status import is_automatic, migration_state, node_of, phase_of
from livenad.changes import NetworkChange, migrations_since, require_observed
from livenad.errors import NotReached, ProductFault
from livenad.network_change.completion import completed_at, five_facts
from livenad.text import human

SETTLING = 2.0
"""Seconds after completion in which the control plane may still write what belongs to the migration: the readiness of
the target pod and the removal of the target's label. In the recordings it has done so after 0.3 s."""


def completed_first(history: History, change: NetworkChange) -> float | None:
    """When (clock of the history) the cluster's first migration for a change had succeeded, on the VMI too; else None.

    Not when the change was last complete: what undoes it, and is put right again, happens after it was complete first.
    Without such a migration, when it was complete by one that a user requested.
    """
    for uid in migrations_since(history, change):
        ended = [
            one.at
            for one in history.records(MIGRATION, vm=change.vm)
            if one.uid == uid and is_automatic(one.object) and phase_of(one.object) == "Succeeded"
        ]
        shown = [one.at for one in history.records(VMI, change.vm, change.index) if _completed(one.object, uid)]
        if ended and shown:
            return max(ended[0], shown[0])
    return completed_at(five_facts(history, change))


def _completed(vmi: Object, uid: str) -> bool:
    state = migration_state(vmi)
    return state.get("migrationUid") == uid and bool(state.get("completed"))


def judge_completed(history: History, change: NetworkChange) -> str:
    """The change is complete: what comes after it cannot be judged before."""
    if missing := [fact for fact in five_facts(history, change) if not fact.holds]:
        raise NotReached(
            f"{change.title}: expected nothing more to happen after its completion, but it is not complete; missing: "
            f"{missing[0].name}: {missing[0].seen}"
        )
    return f"{change.title}: complete"


def judge_quiet(history: History, change: NetworkChange, completed: float, window: float) -> str:
    """In ``window`` seconds after `completed_first`: no migration, edit, condition, node or pod change."""
    require_observed(history, change, VM, VMI)
    events = [one for one in happened(history, change, completed) if one[0] <= window]
    if events:
        after, what = events[0]
        also = "".join(f"\nalso, {human(when)} after completion: {text}" for when, text in events[1:8])
        raise ProductFault(
            f"{change.title}: expected nothing more to happen for {human(window)} after its completion; "
            f"{human(after)} after it {what}{also}"
        )
    return f"{change.title}: nothing more happened for {human(window)} after its completion"


def happened(history: History, change: NetworkChange, completed: float) -> list[tuple[float, str]]:
    """What happened to the VM after a moment: seconds after it, and what; in order of time."""
    found: list[tuple[float, str]] = []
    for kind, title in ((MIGRATION, "migration"), (POD, "launcher pod")):
        known: set[str] = set()
        for record in history.records(kind, vm=change.vm):
            if record.uid not in known and record.at > completed:
                found.append((record.at - completed, f"{title} {record.name} was created"))
            known.add(record.uid)
    for kind in (VM, VMI):
        for before, record in _steps(history, kind, change.vm, completed):
            late = record.at - completed
            found += [(late, what) for what in _changes(kind, before, record) if late > SETTLING or "Ready" not in what]
    return sorted(found)


def _steps(history: History, kind: Kind, name: str, since: float) -> Iterator[tuple[Object, Record]]:
    before: Object | None = None
    for record in history.records(kind, name):
        if before is not None and record.at > since:
            yield before, record
        before = record.object


def _changes(kind: Kind, before: Object, record: Record) -> Iterator[str]:
    """What a step of a VM or VMI changed that must not change any more."""
    now, title = record.object, f"the {'VM' if kind is VM else 'VMI'}"
    if record.type == DELETED:
        yield f"{title} was deleted"
        return
    if meta(before, "uid") != meta(now, "uid"):
        yield f"{title} was replaced"
    if before.get("spec") != now.get("spec"):
        yield f"the spec of {title} was changed"
    if kind is VMI and node_of(before) != node_of(now):
        yield f"the VMI went from node {node_of(before)} to {node_of(now) or 'none'}"
    if phase_of(before) != phase_of(now):
        yield f"phase of {title} went from {phase_of(before)} to {phase_of(now)}"
    old, new = (
        {str(one.get("type")): str(one.get("status")) for one in dig(item, "status", "conditions", default=[]) or []}
        for item in (before, now)
    )
    for type_ in sorted(old.keys() | new.keys()):
        if old.get(type_) != new.get(type_):
            yield f"condition {type_} of {title} went from {old.get(type_, 'absent')} to {new.get(type_, 'absent')}"
