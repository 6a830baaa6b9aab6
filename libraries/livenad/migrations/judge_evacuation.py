# SPDX-License-Identifier: Apache-2.0
"""The verdict on an evicted VM: it left its node by a live migration. Pure functions of the history."""

from __future__ import annotations

from livenad.api.history import DELETED, History
from livenad.api.kinds import VMI, Object, dig, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.status import FINAL_PHASES, condition_text, is_true, node_of, phase_of
from livenad.changes import Change, migrations_concerned
from livenad.errors import NotReached, ProductFault
from livenad.foreign_migrations import maker_of
from livenad.text import human

_REQUESTED = "EvictionRequested"


def missing_to_evacuated(history: History, change: Change) -> list[str]:
    """What is missing until an evicted VM has left its node and nothing is left of the eviction; empty when nothing is.

    It may have come back to that node since, by a later migration.
    """
    vmi = history.current(VMI, change.vm)
    if vmi is None or meta(vmi, "uid") != change.vmi_uid or phase_of(vmi) != "Running":
        now = "gone" if vmi is None else f"{meta(vmi, 'uid')} in phase {phase_of(vmi) or 'none'}"
        return [f"the VMI was {change.vmi_uid} and is {now}"]
    missing = []
    if _left_at(history, change) is None:
        missing.append(f"the VMI is still on {change.node}")
    if marked := dig(vmi, "status", "evacuationNodeName"):
        missing.append(f"the VMI's status.evacuationNodeName is {marked}")
    if is_true(vmi, _REQUESTED):
        missing.append(condition_text(vmi, _REQUESTED))
    unfinished = [one for one in _migrations(history, change) if phase_of(one) not in FINAL_PHASES]
    return missing + [f"migration {meta(one, 'name')} is {phase_text(history, one)}" for one in unfinished]


def judge_evacuated(history: History, change: Change, within: float, migrations: int | None = None) -> str:
    """An evicted VM left its node, as the same VMI, within ``within`` seconds, and nothing is left of the eviction.

    ``migrations`` is the number of migrations that it may have had since, with one that was under way; None: any.
    """
    found = _migrations(history, change)
    listed = (
        ", ".join(f"{meta(one, 'name')} ({maker_of(history, one)}, {phase_text(history, one)})" for one in found)
        or "none"
    )
    left = _left_at(history, change)
    missing = missing_to_evacuated(history, change)
    if missing or left is None:
        waited = history.now - change.at
        raise NotReached(
            f"{change.subject}: expected to have left {change.node} within {human(within)} of its eviction; "
            f"{human(waited)} after it: {'; '.join(missing)}; migrations: {listed}",
            overdue=waited > within,
        )
    if left - change.at > within:
        raise ProductFault(
            f"{change.subject}: expected to have left {change.node} within {human(within)} of its eviction, did so "
            f"only after {human(left - change.at)}; migrations: {listed}"
        )
    if migrations is not None and len(found) != migrations:
        raise ProductFault(
            f"{change.subject}: expected {migrations} migrations to serve its eviction, with the one that was under "
            f"way; there are {len(found)}: {listed}"
        )
    return f"{change.subject}: left {change.node} {human(left - change.at)} after its eviction; migrations: {listed}"


def _left_at(history: History, change: Change) -> float | None:
    """When the VMI was first seen on another node."""
    for record in history.records(VMI, change.vm, change.index):
        same = record.type != DELETED and record.uid == change.vmi_uid
        if same and node_of(record.object) not in ("", change.node):
            return record.at
    return None


def _migrations(history: History, change: Change) -> list[Object]:
    return list(migrations_concerned(history, change).values())
