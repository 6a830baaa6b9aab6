# SPDX-License-Identifier: Apache-2.0
"""When the cluster has processed the last change of a VM, by the kind of change. Pure functions of the history."""

from __future__ import annotations

from collections.abc import Sequence

from livenad.api.history import History
from livenad.api.status import vm_summary
from livenad.changes import Change, ChangeLog, NetworkChange, NicHotplug, UnmetWait
from livenad.conditions.judge_conditions import MIGRATION, RESTART, is_required
from livenad.errors import NotReached
from livenad.foreign_migrations import fault_or_undecided, reached
from livenad.migrations.judge_evacuation import missing_to_evacuated
from livenad.model import VmRecord
from livenad.network_change.completion import five_facts, is_complete
from livenad.network_change.judge_last_change import missing_effect
from livenad.nic_hotplug.hotplug_facts import facts_of, is_settled
from livenad.virtual_machines.readiness import missing_after


def require_waits_met(history: History, waits: Sequence[UnmetWait]) -> None:
    """NotReached for the first wait that ended without what it awaited, or LabError by the rule on foreign migrations.

    To be asked where all tests have passed: then no test has told of it.
    """
    if waits:
        first, *others = waits
        also = "".join(f"\nalso: {other}" for other in others)
        raise fault_or_undecided(history, first.change, NotReached(f"{first}{also}"))


def missing_to_settled(
    history: History, log: ChangeLog, record: VmRecord, change: Change, *, live_update: bool, migrates: bool
) -> list[str]:
    """What is missing until the cluster has processed the last change of a VM; empty when nothing is.

    ``live_update``: the cluster applies edits to running VMs. ``migrates``: it migrates VMs by itself.
    """
    if isinstance(change, NetworkChange):
        return _missing_of_edit(history, change, live_update=live_update, migrates=migrates)
    if isinstance(change, NicHotplug):
        open_ones = [
            one
            for one in log.hotplugs(record.name)
            if not reached(history, one, lambda known, one=one: is_settled(known, one))  # type: ignore[misc]
        ]
        return [fact.seen for one in open_ones for fact in facts_of(history, one) if not fact.holds]
    if change.action == "nic settings":
        return []
    if change.action == "evict":
        return missing_to_evacuated(history, change)
    return missing_after(history, record, change)


def _missing_of_edit(history: History, change: NetworkChange, *, live_update: bool, migrates: bool) -> list[str]:
    if change.vm_state == "stopped":
        return []
    if change.vm_state in ("starting", "migrating"):
        return (
            []
            if reached(history, change, lambda known: not missing_effect(known, change))
            else missing_effect(history, change)
        )
    if not live_update:
        return [] if is_required(history, change, RESTART) else [vm_summary(history, change.vm)]
    if not migrates:
        return [] if is_required(history, change, MIGRATION) else [vm_summary(history, change.vm)]
    if reached(history, change, lambda known: is_complete(known, change)):
        return []
    return [fact.seen for fact in five_facts(history, change) if not fact.holds]
