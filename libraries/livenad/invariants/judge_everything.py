# SPDX-License-Identifier: Apache-2.0
"""The verdict on everything that a network change must leave as it was, on the API and in the guest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livenad.api.history import History
from livenad.changes import Change, NetworkChange
from livenad.errors import ProductFault
from livenad.foreign_migrations import fault_from_before
from livenad.invariants.comparison import Comparison, judge_unchanged
from livenad.invariants.guest_state import GuestState
from livenad.invariants.judge_api import compare_api
from livenad.invariants.judge_connections import Around
from livenad.invariants.judge_guest_state import compare_guest
from livenad.text import human


@dataclass(frozen=True)
class Reading:
    """A guest as recorded and now, ``elapsed`` seconds later, of which migrations may have taken ``downtime``."""

    guest: str
    before: GuestState
    now: GuestState
    elapsed: float
    downtime: float

    def compare(self) -> Comparison:
        """Every value of then and now."""
        return compare_guest(self.guest, self.before, self.now, self.elapsed, self.downtime)


@dataclass(frozen=True)
class Act:
    """What was done to a VM since its record at ``index`` of the history and ``at`` its clock.

    ``since`` is what the rule on foreign migrations counts from. ``quiet`` is for how many seconds after the change
    nothing more happened in the API; 0.0: not judged before. ``in_api``: what the API showed is compared as well.
    """

    vm: str
    index: int
    at: float
    edits: Sequence[NetworkChange]
    since: Change
    quiet: float = 0.0
    in_api: bool = True

    def title(self) -> str:
        """What a message begins with."""
        if not self.quiet:
            return self.since.subject
        quiet = f"nothing more happened in the API for {human(self.quiet)} after the change was complete"
        return f"{self.since.subject}: {quiet}; compared with `Record Guest`"

    def compare(self, history: History) -> Comparison:
        """Everything that the API showed since; nothing if that is not compared."""
        return compare_api(history, self.vm, self.index, self.at, self.edits) if self.in_api else Comparison()


def judge_everything(history: History, act: Act, reading: Reading | None, around: Around | None = None) -> str:
    """Nothing differs from the record but what may.

    Without ``reading`` and ``around``, as the guest gave no shell, the API alone is judged.
    """
    compared = act.compare(history)
    if reading is not None:
        compared = compared.with_all_of(reading.compare())
    if around is not None:
        compared = compared.with_all_of(around.compare())
    try:
        return judge_unchanged(compared, act.title())
    except ProductFault as fault:
        raise fault_from_before(history, act.since, fault, lambda known: act.compare(known).findings) from None
