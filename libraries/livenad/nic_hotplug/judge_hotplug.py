# SPDX-License-Identifier: Apache-2.0
"""The verdict on a hot-plug or hot-unplug: returns what it saw, or raises ProductFault."""

from __future__ import annotations

from livenad.api.history import History
from livenad.api.kinds import meta
from livenad.changes import NicHotplug, migrations_since
from livenad.errors import NotReached, ProductFault
from livenad.network_change.completion import completed_at
from livenad.nic_hotplug.hotplug_facts import facts_of
from livenad.text import human


def judge_nic_change(history: History, change: NicHotplug, within: float) -> str:
    """All the facts of a hot-plug or hot-unplug hold, the last of them came true within ``within`` seconds of it."""
    facts = facts_of(history, change)
    if missing := [fact for fact in facts if not fact.holds]:
        first, *others = missing
        also = "".join(f"\nalso missing: {fact.seen}" for fact in others)
        waited = history.now - change.at
        raise NotReached(
            f"{change.title}: expected to be done within {human(within)}, is not after {human(waited)}; missing: "
            f"{first.name}: {first.seen}{also}",
            overdue=waited > within,
        )
    done = completed_at(facts)
    took = (done if done is not None else history.now) - change.at
    if took > within:
        last = max(facts, key=lambda fact: fact.since or 0)
        raise ProductFault(
            f"{change.title}: expected to be done within {human(within)}, was only after {human(took)}; "
            f"last to come true: {last.name} ({last.seen})"
        )
    names = ", ".join(str(meta(item, "name")) for item in migrations_since(history, change).values())
    return f"{change.title}: done {human(max(0.0, took))} after the edit, {'by ' + names if names else 'in place'}"
