"""Histories replayed from recordings of a real control plane (``data/histories/``), altered where a test wants a fault.

The recordings hold one VM, ``vm1``, whose NIC ``net1`` is moved from ``nad-a`` to ``nad-b``; objects are trimmed to
what verdicts read.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from livenad.api.history import History
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI
from livenad.network_change.completion import NetworkSwap, remember

DATA = Path(__file__).parents[1] / "data" / "histories"
KINDS = {kind.name: kind for kind in (VM, VMI, MIGRATION, POD, EVENT)}

EDITED = {
    "swap-main": 7.111,
    "swap-1.9.0": 12.45,
    "gate-off-1.8.4": 7.103,
    "edit-during-migration-main": 7.472,
    "failed-migration-main": 7.54,
    "revert-while-scheduling-main": 7.411,
    "revert-while-running-main": 7.719,
    "edit-of-starting-vm-main": 1.636,
    "edit-of-starting-vm-1.9.0": 1.674,
    "plug-in-place-main": 7.089,
}
"""Seconds from the start of a recording to the edit."""

Event = dict[str, Any]
Change = Callable[[list[Event]], Iterable[Event]]


def events(name: str) -> list[Event]:
    """The events of a recording, oldest first."""
    found = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]
    for event in found:
        event["object"]["metadata"]["resourceVersion"] += "000"  # room for `insert`
    return found


def replay(name: str, change: Change | None = None, until: float = 1e9) -> tuple[History, NetworkSwap]:
    """A history as if the recording had just ended, and the swap as it was remembered before the edit."""
    recorded = list(change(events(name))) if change else events(name)
    recorded = [event for event in recorded if event["t"] <= until]
    end = max(event["t"] for event in recorded)
    start = time.monotonic() - end
    now = start
    history = History(clock=lambda: now)
    swap: NetworkSwap | None = None
    for event in recorded:
        if swap is None and event["t"] > EDITED[name]:
            swap = edited(history, start + EDITED[name])
        now = start + event["t"]
        history.append(KINDS[event["kind"]], event["type"], copy.deepcopy(event["object"]))
    return history, swap or edited(history, start + EDITED[name])


def edited(history: History, at: float) -> NetworkSwap:
    """The swap of ``vm1``'s ``net1`` to ``nad-b``, remembered now and edited at ``at``."""
    vmi = history.current(VMI, "vm1")
    assert vmi is not None
    swap = remember(history, "vm1", vmi["metadata"]["namespace"], "net1", "nad-b")
    swap.at = at
    return swap


def insert(recorded: list[Event], at: float, kind: str, alter: Callable[[Event], None]) -> list[Event]:
    """The recording with one more state of the object of ``kind`` that was newest at ``at``, altered."""
    last = max((event for event in recorded if event["kind"] == kind and event["t"] <= at), key=lambda item: item["t"])
    extra = copy.deepcopy(last)
    extra["t"] = at
    extra["type"] = "MODIFIED"
    extra["object"]["metadata"]["resourceVersion"] = str(int(last["object"]["metadata"]["resourceVersion"]) + 1)
    alter(extra["object"])
    return sorted([*recorded, extra], key=lambda item: item["t"])
