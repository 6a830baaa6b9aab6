# SPDX-License-Identifier: Apache-2.0
"""Events of a VM that a suite can wait for before its next step. Pure functions of the history."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

from livenad.api.history import History
from livenad.api.kinds import POD, VMI, Object, meta
from livenad.api.status import is_automatic, is_evacuation, phase_of
from livenad.changes import Change, ChangeLog, migrations_since
from livenad.foreign_migrations import own_migrations
from livenad.network_change.completion import first_warning

_HANDED_OVER = ("PreparingTarget", "TargetReady", "Running")

VmEvent = Literal[
    "launcher pod created", "migration created", "migration running", "evacuation running", "warning reported"
]


def event_of(history: History, log: ChangeLog, vm: str, event: VmEvent) -> Callable[[], str]:
    """A function that returns what was seen of the event, "" before it. TestError when the VM was not changed."""
    if event == "launcher pod created":
        return lambda: "a launcher pod" if is_starting(history, vm) else ""
    if event == "evacuation running":
        eviction = log.last(vm, "evict")
        return lambda: "a running evacuation" if handed_over(history, eviction) else ""
    change = log.network_change(vm)
    if event == "migration created":
        return lambda: "a migration object" if own_migrations(history, change) else ""
    if event == "migration running":
        return lambda: "a running migration" if handed_over(history, change) else ""
    return lambda: first_warning(history, change)


def passed_unseen(history: History, change: Change) -> Object | None:
    """That migration when it has Succeeded: no state in which it was under way was recorded in time to act on it."""
    return _made_for(history, change, ("Succeeded",))


def handed_over(history: History, change: Change) -> Object | None:
    """The migration that the cluster made for an edit or an eviction once its target is being prepared; None before."""
    return _made_for(history, change, _HANDED_OVER)


def _made_for(history: History, change: Change, phases: Collection[str]) -> Object | None:
    made_for_it = is_evacuation if change.action == "evict" else is_automatic
    found = migrations_since(history, change).values()
    return next((item for item in found if made_for_it(item) and phase_of(item) in phases), None)


def is_starting(history: History, vm: str) -> bool:
    """Whether a VM has a launcher pod and its VMI has left Pending."""
    vmi = history.current(VMI, vm)
    if vmi is None:
        return False
    uid = meta(vmi, "uid")
    pods = (pod for pod in history.all(POD, vm=vm) if meta(pod, "labels", {}).get("kubevirt.io/created-by") == uid)
    return next(pods, None) is not None and phase_of(vmi) not in ("", "Pending")
