# SPDX-License-Identifier: Apache-2.0
"""Verdicts on conditions of VM and VMI: set, never set, cleared. Each returns what it saw, or raises ProductFault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from livenad.api.history import DELETED, History
from livenad.api.kinds import VM, VMI, Kind, Object, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.status import (
    condition_text,
    is_true,
    network_of,
    node_of,
)
from livenad.changes import Change, NetworkChange, NicSettingsChange, migrations_since, require_observed
from livenad.errors import LabError, NotReached, ProductFault
from livenad.text import human

Condition = Literal["RestartRequired", "MigrationRequired"]
RESTART: Condition = "RestartRequired"
MIGRATION: Condition = "MigrationRequired"


def is_required(history: History, change: NetworkChange, type_: str) -> bool:
    """Whether the condition ``type_`` is True: RestartRequired on the VM, MigrationRequired on the VMI."""
    return is_true(_latest(history, change, VM if type_ == RESTART else VMI), type_)


def judge_migration_required(history: History, change: NetworkChange) -> str:
    """The VMI's spec has the new network, MigrationRequired is set on the VMI, and RestartRequired never was."""
    vm, vmi = _latest(history, change, VM), _latest(history, change, VMI)
    require_spec(history, change, vmi, change.new_network, "to have the edit", fault=NotReached)
    if not is_true(vmi, MIGRATION):
        raise NotReached(
            f"{change.title}: expected MigrationRequired on the VMI, as the cluster does not migrate by itself; "
            f"{_after(history, change)} {condition_text(vmi, MIGRATION)}, on the VM {condition_text(vm, RESTART)}"
        )
    require_never(history, change, VM, RESTART, "a migration is enough for this edit")
    return f"{change.title}: MigrationRequired is set on the VMI: {condition_text(vmi, MIGRATION)}"


def judge_restart_required(history: History, change: NetworkChange) -> str:
    """RestartRequired is set on the VM."""
    vm, vmi = _latest(history, change, VM), _latest(history, change, VMI)
    if not is_true(vm, RESTART):
        raise NotReached(
            f"{change.title}: expected RestartRequired on the VM, as the edit cannot be applied to the running VM "
            f"here; {_after(history, change)} {condition_text(vm, RESTART)}, on the VMI "
            f"{condition_text(vmi, MIGRATION)}"
        )
    return f"{change.title}: RestartRequired is set on the VM: {condition_text(vm, RESTART)}"


def judge_settled(history: History, change: NetworkChange, conditions: Sequence[Condition]) -> str:
    """None of the conditions is set any more. LabError where none was to be cleared: not seen set, nothing done."""
    for kind in (VM, VMI):
        if history.current(kind, change.vm) is None:
            raise NotReached(
                f"{change.title}: expected no required action any more; {_after(history, change)} no {kind.name}"
            )
    if left := required_actions(history, change, conditions):
        raise NotReached(f"{change.title}: expected no required action any more; {_after(history, change)} {left}")
    vmi = _latest(history, change, VMI)
    acted = meta(vmi, "uid") != change.vmi_uid or node_of(vmi) != change.node
    if not acted and not any(_was_set(history, change, type_) for type_ in conditions):
        raise LabError(
            f"{change.title}: {' and '.join(conditions)} was not seen since the edit, and the VM was neither restarted "
            "nor migrated, so nothing is proven; wait for the condition, or for the restart, first"
        )
    return f"{change.title}: no action is required any more"


def _was_set(history: History, change: NetworkChange, type_: Condition) -> bool:
    kind = VM if type_ == RESTART else VMI
    return any(is_true(record.object, type_) for record in history.records(kind, change.vm, change.index))


def required_actions(history: History, change: NetworkChange, conditions: Sequence[Condition]) -> str:
    """Text with the conditions that are set, "" for none."""
    found = [
        f"{kind.name} {condition_text(item, type_)}"
        for kind, type_ in ((VM, RESTART), (VMI, MIGRATION))
        if type_ in conditions and is_true(item := _latest(history, change, kind), type_)
    ]
    return ", ".join(found)


def _latest(history: History, change: NetworkChange, kind: Kind) -> Object:
    return history.current(kind, change.vm) or {}


def _after(history: History, change: NetworkChange) -> str:
    return f"{human(history.now - change.at)} after it:"


def require_spec(
    history: History,
    change: NetworkChange,
    vmi: Object,
    wanted: str,
    what: str,
    *,
    fault: type[ProductFault] = ProductFault,
) -> None:
    network = network_of(vmi.get("spec") or {}, change.nic)
    if network != wanted:
        raise fault(
            f"{change.title}: expected the VMI {what}, its spec to name {wanted}; {_after(history, change)} it names "
            f"{network or 'no network'}"
        )


def require_never(history: History, change: NetworkChange, kind: Kind, type_: str, why: str) -> None:
    require_observed(history, change, kind)
    for record in history.records(kind, change.vm, change.index):
        if record.type != DELETED and is_true(record.object, type_):
            raise ProductFault(
                f"{change.title}: expected no {type_}, as {why}; the {kind.name} had it "
                f"{human(record.at - change.at)} after the edit: {condition_text(record.object, type_)}"
            )


def judge_restart_never_required(history: History, change: NetworkChange) -> str:
    """RestartRequired was true in no state of the VM from before the edit until now."""
    title = f"VM {change.namespace}/{change.vm}"
    require_observed(history, change, VM)
    records = history.records(VM, change.vm, change.index)
    start = end = None
    for record in records:
        if is_true(record.object, "RestartRequired"):
            start = start or record
        elif start is not None:
            end = record
            break
    if start is not None:
        lasted = f"for {human(end.at - start.at)}" if end else f"and still is after {human(history.now - start.at)}"
        raise ProductFault(
            f"{title}: expected RestartRequired never to be set when only networkName changes; it was set "
            f"{human(start.at - change.at)} after the edit {lasted}: {condition_text(start.object, 'RestartRequired')}"
        )
    unsure = sum(record.synthetic for record in records)
    note = f" ({unsure} of them found by a list after a broken watch)" if unsure else ""
    return f"{title}: RestartRequired in none of {len(records)} states since before the edit{note}"


def judge_never_set(history: History, change: Change, conditions: Sequence[Condition]) -> str:
    """None of the conditions was true in any state of VM and VMI since before the change."""
    kinds = (VM, VMI) if MIGRATION in conditions else (VM,)
    require_observed(history, change, *kinds)
    for type_ in conditions:
        for kind in (VM, VMI) if type_ == MIGRATION else (VM,):
            for record in history.records(kind, change.vm, change.index):
                if record.type != DELETED and is_true(record.object, type_):
                    raise ProductFault(
                        f"{change.subject}: expected no {type_} since {change.what}; the {kind.name} had it "
                        f"{human(record.at - change.at)} later: {condition_text(record.object, type_)}"
                    )
    lasted = human(history.now - change.at)
    states = sum(len(history.records(kind, change.vm, change.index)) for kind in kinds)
    return (
        f"{change.subject}: {' and '.join(conditions)} in no state since {change.what}, {lasted} ago "
        f"({states} later states)"
    )


def judge_reported_pending(history: History, change: NetworkChange) -> str:
    """RestartRequired on the VM or MigrationRequired on the VMI reports that the edit is not in effect."""
    vm, vmi = history.current(VM, change.vm) or {}, history.current(VMI, change.vm) or {}
    shown = [
        f"{kind} {condition_text(item, type_)}"
        for kind, item, type_ in (("VM", vm, "RestartRequired"), ("VMI", vmi, "MigrationRequired"))
        if is_true(item, type_)
    ]
    if not shown:
        raise NotReached(
            f"VM {change.namespace}/{change.vm}: expected RestartRequired on the VM or MigrationRequired on the "
            "VMI, as "
            f"the edit is not in effect; {human(history.now - change.at)} after it there is neither: "
            f"{condition_text(vm, 'RestartRequired')}, {condition_text(vmi, 'MigrationRequired')}"
        )
    return (
        f"VM {change.namespace}/{change.vm}: the edit is not in effect and is reported as pending: {', '.join(shown)}"
    )


_CONDITIONS = ((VM, "RestartRequired"), (VMI, "MigrationRequired"))


def judge_still_reported_pending(history: History, change: NetworkChange) -> str:
    """A condition reports that the edit is not in effect, and it was not cleared since it was set."""
    gone = []
    for kind, type_ in _CONDITIONS:
        came: float | None = None
        for record in history.records(kind, change.vm, change.index):
            if is_true(record.object, type_):
                came = record.at if came is None else came
            elif came is not None:
                gone.append(
                    f"{type_} of the {kind.name} was set {human(came - change.at)} after the edit and cleared "
                    f"{human(record.at - came)} later"
                )
                break
        if came is not None and not gone:
            return f"{judge_reported_pending(history, change)}, since {human(history.now - came)}"
    if gone:
        raise ProductFault(
            f"VM {change.namespace}/{change.vm}: expected RestartRequired on the VM or MigrationRequired on the "
            "VMI for as "
            f"long as the edit is not in effect; {'; '.join(gone)}, although the VM was not migrated"
        )
    return judge_reported_pending(history, change)


def judge_restart_not_left(history: History, change: NetworkChange) -> str:
    """RestartRequired was cleared by the end of the VM's start.

    KubeVirt after 1.9 sets it on any VM that cannot migrate, such as one that is starting, and clears it.
    """
    title = f"VM {change.namespace}/{change.vm}"
    vm = history.current(VM, change.vm) or {}
    able = next((r for r in history.records(VMI, change.vm, change.index) if is_true(r.object, "LiveMigratable")), None)
    require_observed(history, change, VM)
    if is_true(vm, "RestartRequired"):
        since = history.since_when(VM, change.vm, lambda item: is_true(item, "RestartRequired"))
        raise ProductFault(
            f"{title}: expected no restart to be required once the VM can migrate (since "
            f"{human(history.now - able.at) if able else 'never'}); the VM has it since "
            f"{human(history.now - (since or change.at))}: {condition_text(vm, 'RestartRequired')}"
        )
    if able is None:
        raise LabError(f"{title} was not seen LiveMigratable since the edit, so nothing is proven")
    before = False
    seen = 0
    for record in history.records(VM, change.vm, change.index):
        now = is_true(record.object, "RestartRequired")
        if now and not before and record.index > able.index:
            raise ProductFault(
                f"{title}: expected no restart to be required once the VM can migrate; it was set "
                f"{human(record.at - able.at)} after that: {condition_text(record.object, 'RestartRequired')}"
            )
        seen += now
        before = now
    note = "while the VM could not migrate yet, and cleared" if seen else "in no state of the VM"
    return f"{title}: RestartRequired {note}"


def is_restart_required(history: History, edit: NicSettingsChange) -> bool:
    """Whether the VM has RestartRequired now."""
    return is_true(history.current(VM, edit.vm) or {}, "RestartRequired")


def judge_restart_stays_required(history: History, edit: NicSettingsChange) -> str:
    """RestartRequired was set after the edit, is set now, and was never cleared in between."""
    shown = None
    for record in history.records(VM, edit.vm, edit.index):
        asked = is_true(record.object, "RestartRequired")
        if asked and shown is None:
            shown = record
        elif shown is not None and not asked:
            raise ProductFault(
                f"{edit.title}: expected RestartRequired to stay set until a restart; it was set "
                f"{human(shown.at - edit.at)} after the edit and cleared {human(record.at - shown.at)} later"
            )
    if shown is None:
        vm = history.current(VM, edit.vm) or {}
        raise NotReached(
            f"{edit.title}: expected RestartRequired, as the edit requires a restart; after "
            f"{human(history.now - edit.at)}: {condition_text(vm, 'RestartRequired')}"
        )
    return (
        f"{edit.title}: RestartRequired since {human(shown.at - edit.at)} after the edit{_network_part(history, edit)}"
    )


def _network_part(history: History, edit: NicSettingsChange) -> str:
    """The network after an edit of several fields: only reported, as no requirement says what it must be."""
    if not edit.network:
        return ""
    vmi = history.current(VMI, edit.vm) or {}
    network = network_of(dict(vmi.get("spec", {})), edit.nic)
    made = [f"{meta(item, 'name')} is {phase_text(history, item)}" for item in migrations_since(history, edit).values()]
    return f"; for information: the VMI's spec names {network}, {', '.join(made) or 'no migration was made'}"
