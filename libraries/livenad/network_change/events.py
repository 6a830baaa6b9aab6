"""Moments in the life of a VM for which a suite may wait before its next step. Pure functions of the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from livenad.api.history import History
from livenad.changes import ChangeLog, migrations_since
from livenad.network_change.change_network import handed_over, is_starting
from livenad.network_change.completion import first_warning

VmEvent = Literal["launcher pod created", "migration created", "migration running", "warning reported"]


def event_of(history: History, log: ChangeLog, vm: str, event: VmEvent) -> Callable[[], str]:
    """A function that tells what was seen of the event, "" before it. TestError when the VM was not changed."""
    if event == "launcher pod created":
        return lambda: "a launcher pod" if is_starting(history, vm) else ""
    change = log.network_change(vm)
    if event == "migration created":
        return lambda: "a migration object" if migrations_since(history, change) else ""
    if event == "migration running":
        return lambda: "a migration under way" if handed_over(history, change) else ""
    return lambda: first_warning(history, change)
