# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a VM before an act, for a comparison of everything after it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from livenad.api.history import History
from livenad.api.kinds import VMI, dig
from livenad.api.status import migration_state
from livenad.changes import ChangeLog, NetworkChange
from livenad.errors import TestError
from livenad.guest.shells import Shell
from livenad.invariants.guest_state import GuestState
from livenad.invariants.judge_connections import Held
from livenad.invariants.read_guest import read_state, start_process


@dataclass(frozen=True)
class Recorded:
    """``index`` is the length of the history and ``at`` the monotonic clock when the guest had been read.

    ``process`` is the PID of a process that was started in the guest, and ``held`` are connections that were opened.
    """

    index: int
    at: float
    guest: GuestState
    process: str
    held: Held = field(default_factory=Held)


@dataclass
class Records:
    """The last record of each VM, by its name on the cluster."""

    _records: dict[str, Recorded] = field(default_factory=dict)

    def record(self, name: str, shell: Shell, history: History, held: Held | None = None) -> Recorded:
        """Start a process in the guest and read its state, with the place in the history. LabError from the guest."""
        process = start_process(shell)
        state = read_state(shell, process)
        self._records[name] = Recorded(len(history), time.monotonic(), state, process, held or Held())
        return self._records[name]

    def __getitem__(self, name: str) -> Recorded:
        """The record of a VM. TestError when there is none."""
        if name not in self._records:
            raise TestError(f"VM {name} was not recorded; call `Record Guest` before the change")
        return self._records[name]

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def forget(self, name: str) -> None:
        """Remove the record of a VM that is removed."""
        self._records.pop(name, None)


def edits_since(changes: ChangeLog, vm: str, index: int) -> list[NetworkChange]:
    """The network changes of a VM since a record.

    TestError for a change of another kind: it makes other things differ: the VM has to be recorded after it.
    """
    since = [change for change in changes if change.vm == vm and change.index >= index]
    for change in since:
        if change.action not in ("network", "migrate", "evict"):
            raise TestError(
                f"{change.subject}: {change.what} came after `Record Guest`, and changes more than a network; call "
                "`Record Guest` again after it"
            )
    return [change for change in since if isinstance(change, NetworkChange)]


def migration_seconds(history: History, vm: str, index: int) -> float:
    """How long the VM's migrations since ``index`` were running, by their time stamps, which are whole seconds."""
    found: dict[str, float] = {}
    for record in history.records(VMI, vm, index):
        state = migration_state(record.object)
        start, end = (_seconds(dig(state, key)) for key in ("startTimestamp", "endTimestamp"))
        if start is not None and end is not None:
            found[str(state.get("migrationUid"))] = max(0.0, end - start) + 1.0
    return sum(found.values())


def _seconds(stamp: object) -> float | None:
    try:
        return time.mktime(time.strptime(str(stamp), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None
