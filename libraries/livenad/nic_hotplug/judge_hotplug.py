"""Judgements on hot-plug and hot-unplug: each returns what it saw, or raises ProductFault."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import VM, VMI, meta
from livenad.api.status import condition_text, is_true, phase_of
from livenad.errors import ProductFault
from livenad.network_change.change import Act, migrations_after
from livenad.network_change.completion import completed_at
from livenad.nic_hotplug.hotplug import NicChange, facts_of
from livenad.text import human


def judge_nic_change(history: History, change: NicChange, within: float) -> str:
    """All the facts of a hot-plug or hot-unplug hold, the last of them came true within ``within`` seconds of it."""
    facts = facts_of(history, change)
    if missing := [fact for fact in facts if not fact.holds]:
        first, *others = missing
        also = "".join(f"\nalso missing: {fact.seen}" for fact in others)
        raise ProductFault(
            f"{change.title}: expected to be done within {human(within)}, is not after "
            f"{human(time.monotonic() - change.act.at)}; missing: {first.name}: {first.seen}{also}"
        )
    done = completed_at(facts)
    took = (done if done is not None else time.monotonic()) - change.act.at
    if took > within:
        last = max(facts, key=lambda fact: fact.since or 0)
        raise ProductFault(
            f"{change.title}: expected to be done within {human(within)}, was only after {human(took)}; "
            f"last to come true: {last.name} ({last.seen})"
        )
    names = ", ".join(str(meta(item, "name")) for item in migrations_after(history, change.act))
    return f"{change.title}: done {human(max(0.0, took))} after the edit, {'by ' + names if names else 'in place'}"


def judge_same_instance(history: History, act: Act) -> None:
    """Since the act: the same VMI, Running all the time."""
    for record in history.records(VMI, act.vm, act.index):
        when = human(record.at - act.at)
        if record.type == DELETED or record.uid != act.vmi_uid or phase_of(record.object) != "Running":
            raise ProductFault(
                f"{act.title}: expected VMI {act.vmi_uid} to run on after {act.what}; {when} later VMI {record.uid} "
                f"{'was deleted' if record.type == DELETED else 'was ' + (phase_of(record.object) or 'new')}"
            )


def judge_ran_on(history: History, act: Act) -> str:
    """As `judge_same_instance`, and RestartRequired was in no state of the VM."""
    judge_same_instance(history, act)
    for record in history.records(VM, act.vm, act.index):
        if is_true(record.object, "RestartRequired"):
            raise ProductFault(
                f"{act.title}: expected no restart to be asked for by {act.what}; {human(record.at - act.at)} later: "
                f"{condition_text(record.object, 'RestartRequired')}"
            )
    return f"{act.title}: VMI {act.vmi_uid} has run on for {human(time.monotonic() - act.at)} since {act.what}"
