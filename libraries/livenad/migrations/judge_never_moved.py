# SPDX-License-Identifier: Apache-2.0
"""Verdicts on edits that require no migration, with a control VM that proves that the cluster does migrate VMs."""

from __future__ import annotations

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VM, VMI, Object, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.status import condition_text, is_true, network_of, node_of, phase_of, qualified
from livenad.changes import NetworkChange, edits_of, migrations_since, require_observed
from livenad.errors import LabError, NotReached, ProductFault
from livenad.foreign_migrations import maker_of, reached
from livenad.network_change.completion import five_facts, is_complete
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import judge_not_restarted

CACHE_LAG = 0.3
"""Seconds by which a controller's cache, or one watch stream compared with another, may lag."""


def judge_never_moved(history: History, change: NetworkChange, control: NetworkChange, duration: float) -> str:
    """Since before the first edit the VM stayed on its node, while the control, edited later, was migrated.

    A migration object that the cluster made before it saw the revert, and then cancelled, is accepted. It may have
    begun to copy the guest, as the cluster checks only every few seconds.

    LabError when the control was not migrated, or when the revert came too late for an existing migration.
    """
    edits = edits_of(change)
    first, last = edits[0], edits[-1]
    title = f"VM {change.namespace}/{change.vm}"
    _judge_taken_over(history, last, title)
    _require_in_time(history, first, last, title)
    judge_not_restarted(history, first)
    for record in history.records(VMI, change.vm, first.index):
        if record.type != DELETED and node_of(record.object) != first.node:
            raise ProductFault(
                f"{title}: expected to stay on node {first.node}; it was on {node_of(record.object) or 'none'} "
                f"{human(record.at - first.at)} after the edit"
            )
    _judge_conditions(history, first, last, title)
    cancelled = _judge_migrations(history, first, last, title)
    _require_control(history, change, control)
    note = f"; made and cancelled: {', '.join(cancelled)}" if cancelled else ""
    return (
        f"{title}: stayed on {first.node} for more than {human(duration)}, while {control.vm}, edited later, "
        f"was migrated{note}"
    )


def moves_nothing(change: NetworkChange) -> bool:
    """Whether the last edit of a VM leads back to the network that the NIC had before the first one."""
    first = next(edit for edit in edits_of(change) if edit.nic == change.nic)
    return qualified(first.old_network, change.namespace) == qualified(change.new_network, change.namespace)


def started(history: History, change: NetworkChange) -> bool:
    """Whether a migration of the VM has Succeeded since the first edit, so that the wait can end."""
    first = edits_of(change)[0]
    return any(phase_of(item) == "Succeeded" for item in migrations_since(history, first).values())


def _judge_taken_over(history: History, last: NetworkChange, title: str) -> None:
    spec = network_of((history.current(VMI, last.vm) or {}).get("spec", {}), last.nic)
    if spec != last.new_network:
        raise NotReached(f'{title}: expected the VMI\'s spec to name "{last.new_network}"; it names "{spec}"')


def _judge_conditions(history: History, first: NetworkChange, last: NetworkChange, title: str) -> None:
    """RestartRequired was never set; MigrationRequired neither, or it is cleared after a revert."""
    reverted = first is not last
    require_observed(history, first, VM, VMI)
    for kind, type_ in ((VM, "RestartRequired"), (VMI, "MigrationRequired")):
        if reverted and type_ == "MigrationRequired":
            item = history.current(kind, last.vm) or {}
            if is_true(item, type_):
                raise NotReached(
                    f"{title}: expected the revert to clear MigrationRequired; {condition_text(item, type_)}"
                )
            continue
        for record in history.records(kind, last.vm, first.index):
            if is_true(record.object, type_):
                raise ProductFault(
                    f"{title}: expected no {type_}, as the network stays the same; the {kind.name} had it "
                    f"{human(record.at - first.at)} after the edit: {condition_text(record.object, type_)}"
                )


def _judge_migrations(history: History, first: NetworkChange, last: NetworkChange, title: str) -> list[str]:
    """The migration objects that were cancelled; ProductFault for any other."""
    cancelled = []
    known = _knew_of_revert(history, last) if first is not last else first.at
    for item in migrations_since(history, first).values():
        name, maker = meta(item, "name"), maker_of(history, item)
        maker = f"made {maker}" if maker.startswith(("by ", "for ")) else maker
        states = [record for record in history.records(MIGRATION, name) if record.uid == meta(item, "uid")]
        copying = next((record for record in states if phase_of(record.object) in ("Running", "Succeeded")), None)
        if first is not last and states[0].at < known:
            succeeded = any(phase_of(record.object) == "Succeeded" for record in states)
            if not succeeded and _ended(history, item):
                cancelled.append(f"{name} ({'while it copied the guest' if copying else 'before the copy'})")
                continue
        raise ProductFault(
            f"{title}: expected no migration, as the network stays the same; {name} was {maker} "
            f"and is {phase_text(history, item)}"
        )
    return cancelled


def _require_in_time(history: History, first: NetworkChange, last: NetworkChange, title: str) -> None:
    """LabError when a migration was copying the guest before the revert, or existed before it and Succeeded."""
    if first is last:
        return
    for item in migrations_since(history, first).values():
        name = meta(item, "name")
        for record in history.records(MIGRATION, name):
            if record.uid == meta(item, "uid") and record.index < last.index:
                if phase_of(record.object) in ("Running", "Succeeded"):
                    raise LabError(f"{title}: the revert came too late to judge: {name} was already copying the guest")
                if phase_of(item) == "Succeeded":
                    raise LabError(f"{title}: the revert came too late to judge: {name} existed, and Succeeded")


def _knew_of_revert(history: History, last: NetworkChange) -> float:
    """Until when (monotonic clock) the cluster may have made a migration without knowing of the last edit.

    The controller that makes migrations reads MigrationRequired from a cache that lags.
    """
    for record in history.records(VMI, last.vm, last.index):
        follows = network_of(record.object.get("spec", {}), last.nic) == last.new_network
        if follows and not is_true(record.object, "MigrationRequired"):
            return record.at + CACHE_LAG
    return last.at + CACHE_LAG


def _ended(history: History, migration: Object) -> bool:
    current = history.current(MIGRATION, meta(migration, "name"))
    return current is None or phase_of(current) == "Failed"


def _require_control(history: History, change: NetworkChange, control: NetworkChange) -> None:
    if control.index <= edits_of(change)[-1].index:
        raise LabError(
            f"control {control.vm} was edited before {change.vm}; it proves nothing about the time after that edit"
        )
    if not reached(history, control, lambda known: is_complete(known, control)):
        missing = [fact for fact in five_facts(history, control) if not fact.holds]
        raise LabError(
            f"VM {change.namespace}/{change.vm} was not migrated, which proves nothing, as its control was not "
            f"migrated either: {control.title}: {missing[0].seen}"
        )
