# SPDX-License-Identifier: Apache-2.0
"""Migrations that neither the run nor its changes caused, and the one rule by which they count in verdicts and waits.

A migration that KubeVirt's own controllers made without a cause in the history is the product's fault. One with a cause
outside the run never is: what the history had decided before it stays decided, and what it makes undecidable is a LAB
ERROR that names maker and cause. Pure functions of the history.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VMI, Object, dig, meta
from livenad.api.status import (
    EVACUATION,
    FINAL_PHASES,
    condition,
    is_automatic,
    is_evacuation,
    phase_of,
)
from livenad.changes import Change, migrations_since
from livenad.errors import LabError, NotReached, ProductFault
from livenad.text import human

EVICTION_SOURCE = "kubevirt.io/eviction-source"
"""Annotation of a VMI: who asked for its eviction, where KubeVirt knows it."""

OUTDATED = "kubevirt.io/outdatedLauncherImage"
"""Label of a VMI whose launcher is older than KubeVirt: an update of KubeVirt migrates it."""

_CONTROLLER = "virt-controller"
_BY_API = "virt-api"
_REMEDY = "run again at a time without drains, updates of KubeVirt and migrations by others"


@dataclass(frozen=True)
class ForeignMigration:
    """A migration with a cause outside the run. ``index`` and ``at`` are those of its first state in the history.

    ``ended`` is when it reached a final phase or was deleted (monotonic clock), None while it has not.
    """

    title: str
    why: str
    index: int
    at: float
    ended: float | None

    def __str__(self) -> str:
        return f"migration {self.title} {self.why}"


def is_ours(history: History, migration: Object) -> bool:
    """Whether a migration object is of a request or of an eviction by this run: of each the first one since."""
    if is_automatic(migration) or not (is_evacuation(migration) or _is_by_hand(migration)):
        return False
    vm, evacuation = str(dig(migration, "spec", "vmiName") or ""), is_evacuation(migration)
    alike = [
        (uid, _first(history, item))
        for uid, item in history.by_uid(MIGRATION, vm).items()
        if is_evacuation(item) == evacuation and (evacuation or _is_by_hand(item))
    ]
    ours: list[str] = []
    for index in history.requests(vm, evacuation=evacuation):
        ours += [uid for uid, first in alike if first >= index and uid not in ours][:1]
    return meta(migration, "uid") in ours


def maker_of(history: History, migration: Object) -> str:
    """Who made a migration object, as messages say it: ``by the cluster``."""
    if is_evacuation(migration):
        return "for an eviction"
    if not _is_by_hand(migration):
        return "by the cluster"
    return "requested by this run" if is_ours(history, migration) else "requested by a user"


def foreign_since(history: History, change: Change) -> list[ForeignMigration]:
    """The migrations of a VM since a change that have a cause outside the run, oldest first."""
    return _foreign(history, change.vm, migrations_since(history, change))


def own_migrations(history: History, change: Change) -> dict[str, Object]:
    """`migrations_since` without those that have a cause outside the run."""
    found = migrations_since(history, change)
    return {uid: item for uid, item in found.items() if not _cause(history, change.vm, item)}


def reached(history: History, change: Change, test: Callable[[History], bool]) -> bool:
    """Whether ``test`` holds now, or held just before the first migration with a cause outside the run."""
    return decided_at(history, change, test) is not None


def decided_at(history: History, change: Change, test: Callable[[History], bool]) -> History | None:
    """The history in which ``test`` holds: this one, or the part of it before the first foreign migration."""
    if test(history):
        return history
    for foreign in foreign_since(history, change)[:1]:
        part = history.until(foreign.index)
        return part if test(part) else None
    return None


def judged_before(history: History, since: Change, fault: ProductFault, verdict: Callable[[History], str]) -> str:
    """What a verdict that found a fault says by the rule on foreign migrations.

    Raises the fault without one, or where it stands all the same; LabError for a fault that a foreign migration may
    have brought about, or for a state that it kept from coming.
    """
    foreign = foreign_since(history, since)
    lacks = isinstance(fault, NotReached)
    if not foreign or (not lacks and _has_uncaused(history, since)):
        raise fault
    try:
        said = verdict(history.until(foreign[0].index))
    except NotReached as missing:
        if missing.overdue:
            raise
    except LabError:
        pass
    else:
        if lacks:
            return said + note(history, since)
    raise undecided(fault, foreign[0], since.at) from None


def note(history: History, since: Change) -> str:
    """What is told of a foreign migration beside a verdict that it left as it was; "" without one."""
    foreign = foreign_since(history, since)
    return f"; for information: {foreign[0]}" if foreign else ""


def fault_or_undecided(history: History, since: Change, fault: ProductFault) -> Exception:
    """The fault, or the LAB ERROR in its place when a foreign migration was made since a change."""
    foreign = foreign_since(history, since)
    return undecided(fault, foreign[0], since.at) if foreign else fault


def fault_from_before(
    history: History, since: Change, fault: ProductFault, was_seen: Callable[[History], object]
) -> Exception:
    """`fault_or_undecided`, but the fault where ``was_seen`` holds of the history before the foreign migration."""
    foreign = foreign_since(history, since)
    if foreign and was_seen(history.until(foreign[0].index)):
        return fault
    return fault_or_undecided(history, since, fault)


def undecided(fault: ProductFault, foreign: ForeignMigration, since: float, what: str = "the change") -> LabError:
    """The LAB ERROR in place of a fault that a foreign migration may be to blame for; ``what`` was at ``since``."""
    when = f"{human(abs(foreign.at - since))} {'after' if foreign.at >= since else 'before'} {what}"
    return LabError(f"it cannot be judged, as {foreign}, {when}; {_REMEDY}. What was seen: {fault}")


def meanwhile(history: History, vms: Collection[str], began: float) -> ForeignMigration | None:
    """The first foreign migration of one of these VMs that was under way at any time since ``began``."""
    found = [one for vm in vms for one in _foreign(history, vm, history.by_uid(MIGRATION, vm))]
    under_way = (one for one in found if one.ended is None or one.ended >= began)
    return min(under_way, key=lambda one: one.index, default=None)


def _foreign(history: History, vm: str, migrations: dict[str, Object]) -> list[ForeignMigration]:
    found = []
    for uid, item in migrations.items():
        if not (why := _cause(history, vm, item)):
            continue
        states = [record for record in history.records(MIGRATION, meta(item, "name")) if record.uid == uid]
        final = (one for one in states if one.type == DELETED or phase_of(one.object) in FINAL_PHASES)
        title = f"{meta(item, 'namespace')}/{meta(item, 'name')} of VM {vm}"
        ended = next((one.at for one in final), None)
        found.append(ForeignMigration(title, why, states[0].index, states[0].at, ended))
    return sorted(found, key=lambda one: one.index)


def _cause(history: History, vm: str, migration: Object) -> str:
    """The cause outside the run and who made it, "" for a migration of the run or of KubeVirt's own controllers."""
    first = _first(history, migration)
    vmi = history.state_before(VMI, vm, first) or {}
    if is_ours(history, migration):
        return ""
    if is_evacuation(migration):
        node = meta(migration, "annotations", {}).get(EVACUATION) or "unknown"
        source = meta(vmi, "annotations", {}).get(EVICTION_SOURCE)
        asked = f"asked for by {source}" if source else "such as by a drain"
        return f"was made by KubeVirt's evacuation controller to clear node {node} (an eviction, {asked})"
    if _is_by_hand(migration):
        manager = _manager(migration)
        return "was requested by another user" + (f" ({manager})" if manager not in ("", _BY_API) else "")
    if OUTDATED in meta(vmi, "labels", {}) and not _was_required(history, vm, migration, first):
        return "was made by KubeVirt's workload updater, as KubeVirt was updated (its launcher is outdated)"
    return ""


def _has_uncaused(history: History, since: Change) -> bool:
    """Whether KubeVirt's own controllers made a migration though none was required."""
    return any(
        not _is_by_hand(item) and not _was_required(history, since.vm, item, _first(history, item))
        for item in own_migrations(history, since).values()
    )


def _was_required(history: History, vm: str, migration: Object, first: int) -> bool:
    """Whether MigrationRequired was set before a migration, and after the end of the one before it."""
    begin = 0
    for uid in history.by_uid(MIGRATION, vm):
        for record in history.records(MIGRATION, vm=vm):
            ended = record.type == DELETED or phase_of(record.object) in FINAL_PHASES
            if record.uid == uid != meta(migration, "uid") and ended and record.index < first:
                begin = max(begin, record.index)
                break
    states = [history.state_before(VMI, vm, begin)]
    states += [record.object for record in history.records(VMI, vm, begin) if record.index < first]
    return any(condition(item, "MigrationRequired") is not None for item in states if item)


def _is_by_hand(migration: Object) -> bool:
    """Whether a user requested a migration: none of the controllers of KubeVirt made it."""
    made = is_automatic(migration) or is_evacuation(migration)
    return not made and not _manager(migration).startswith(_CONTROLLER)


def _manager(migration: Object) -> str:
    """The client that created a migration object, as it named itself; "" where that is not recorded.

    KubeVirt's controller writes to each of them later: it is the creator only where there is no other client.
    """
    names = [str(entry.get("manager") or "") for entry in meta(migration, "managedFields", [])]
    return next((name for name in names if not name.startswith(_CONTROLLER)), names[0] if names else "")


def _first(history: History, migration: Object) -> int:
    """The index of the first state of a migration object."""
    records = history.records(MIGRATION, meta(migration, "name"))
    return next((record.index for record in records if record.uid == meta(migration, "uid")), len(history))
