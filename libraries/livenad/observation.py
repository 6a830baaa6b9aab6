# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a VM that was never changed, from when it was first seen running. Pure functions of the history.

Without a state in which the VM is Running, the verdict is a LAB ERROR and not a pass.
"""

from __future__ import annotations

from collections.abc import Sequence

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VM, VMI
from livenad.api.status import condition_text, is_true, node_of, phase_of, vm_summary
from livenad.changes import Change
from livenad.conditions.judge_conditions import MIGRATION as MIGRATION_REQUIRED
from livenad.conditions.judge_conditions import Condition, judge_never_set
from livenad.errors import LabError, ProductFault
from livenad.model import VmRecord


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
