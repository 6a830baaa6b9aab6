"""Verdicts on a VM that was never changed, from when it was first seen running. Pure functions of the history.

Without a state in which the VM is Running, the verdict is a LAB ERROR and not a pass.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VM, VMI, meta
from livenad.api.status import condition_text, is_true, node_of, phase_of, vm_summary
from livenad.changes import Change, migrations_since
from livenad.conditions.judge_conditions import MIGRATION as MIGRATION_REQUIRED
from livenad.conditions.judge_conditions import Condition, judge_never_set
from livenad.errors import LabError, ProductFault
from livenad.model import VmRecord
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import judge_same_instance


def first_seen(history: History, record: VmRecord, after: Change | None = None) -> Change:
    """When a VM was first seen running, as a `Change`; with ``after``, when it was with another VMI than before that.

    Raises LabError when it was not seen running.
    """
    since = record.recorded_from if after is None else after.index
    for seen in history.records(VMI, record.name, since):
        if seen.type == DELETED or phase_of(seen.object) != "Running" or (after and seen.uid == after.vmi_uid):
            continue
        return Change(
            action="seen running",
            what="it was first seen running" + (f" after {after.what}" if after else ""),
            vm=record.name,
            namespace=record.namespace,
            index=seen.index,
            at=seen.at,
            vmi_uid=seen.uid,
            node=node_of(seen.object),
            migrations=frozenset(
                made.uid for made in history.records(MIGRATION, vm=record.name) if made.index <= seen.index
            ),
        )
    when = f" after {after.what}" if after else ""
    raise LabError(
        f"{record.subject} was not seen running{when}, so nothing is proven; {vm_summary(history, record.name)}"
    )


def judge_ran_on(history: History, seen: Change) -> str:
    """Since it was first seen running: the same VMI, always Running, and it exists now."""
    said = judge_same_instance(history, seen)
    vmi = history.current(VMI, seen.vm)
    if vmi is None:
        raise ProductFault(f"{seen.subject}: expected VMI {seen.vmi_uid} to keep running; it is gone")
    if is_true(vmi, "Paused"):
        raise ProductFault(
            f"{seen.subject}: expected its guest to keep running; the VMI is paused: {condition_text(vmi, 'Paused')}"
        )
    return said


def judge_conditions_never_set(history: History, seen: Change, conditions: Sequence[Condition]) -> str:
    """None of the conditions was set when the VM was first seen running, nor at any time since."""
    for kind in (VM, VMI):
        item = history.state_before(kind, seen.vm, seen.index + 1)
        if item is None:
            raise LabError(f"{seen.subject}: no {kind.name} was recorded when {seen.what}, so nothing is proven")
        for type_ in conditions:
            if (kind is VM or type_ == MIGRATION_REQUIRED) and is_true(item, type_):
                raise ProductFault(
                    f"{seen.subject}: expected no {type_}; the {kind.name} had it when {seen.what}: "
                    f"{condition_text(item, type_)}"
                )
    return judge_never_set(history, seen, conditions)


def has_left(history: History, seen: Change) -> bool:
    """Whether the VM has another VMI or node, or a migration was made, so that the wait can end."""
    vmi = history.current(VMI, seen.vm)
    moved = vmi is None or meta(vmi, "uid") != seen.vmi_uid or node_of(vmi) != seen.node
    return moved or bool(migrations_since(history, seen))


def judge_stayed_in_place(history: History, seen: Change) -> str:
    """Since it was first seen running: the same VMI, the same node, and no migration object."""
    judge_ran_on(history, seen)
    for record in history.records(VMI, seen.vm, seen.index):
        if node_of(record.object) != seen.node:
            raise ProductFault(
                f"{seen.subject}: expected to stay on node {seen.node}, as nothing was changed; "
                f"{human(record.at - seen.at)} after {seen.what} it was on {node_of(record.object) or 'none'}"
            )
    if found := migrations_since(history, seen).values():
        names = ", ".join(f"{meta(item, 'name')} ({phase_of(item) or 'new'})" for item in found)
        raise ProductFault(f"{seen.subject}: expected no migration, as nothing was changed; there is {names}")
    return f"{seen.subject}: stayed on {seen.node} for {human(time.monotonic() - seen.at)} since {seen.what}"
