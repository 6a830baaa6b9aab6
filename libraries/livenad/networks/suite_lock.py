"""Suites share the cluster, but one that switches its settings runs alone. Kept by leases, across all runs.

A suite that shares takes a lease of its own and looks whether an exclusive one lives; then it withdraws and waits. A
suite that runs alone takes the one exclusive lease first and then waits until no other shared one lives. Whoever waits
for the exclusive lease holds nothing that anybody waits for, so nobody waits in a circle.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from livenad.api.history import History
from livenad.api.kinds import LEASE, Object, meta
from livenad.api.recorder import HEARTBEAT_SECONDS, Heartbeat, silent
from livenad.api.watch import WatchStream
from livenad.errors import LabError
from livenad.networks.leasebook import (
    EXCLUSIVE,
    PURPOSE_LABEL,
    SUITE,
    LeaseBook,
    holder_text,
    lease_name,
)
from livenad.ownership.lease_liveness import RENEW_SECONDS
from livenad.text import human

EXCLUSIVE_NAME = lease_name("exclusive")
_SHORTEST_LOOK = 0.5


class SuiteLock:
    """The right of one run to run one suite. Used by one thread."""

    def __init__(self, book: LeaseBook, within: float, heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._within = within
        self._heartbeat = heartbeat
        self._shared_name = lease_name("suite", book.run_id)

    def share(self) -> None:
        """Begin a suite that runs beside others. Raises LabError when others run alone for too long."""
        self._wait("a suite that runs alone", self._shared)

    def alone(self) -> None:
        """Begin a suite that runs beside no other. Raises LabError when others run for too long."""
        try:
            self._wait("another suite that runs alone", self._exclusive)
            self._wait("the suites that run already", lambda: self._book.others(SUITE))
        except LabError:
            self.leave()
            raise

    def leave(self) -> None:
        """The suite has ended. Does nothing when none has begun."""
        for name in (self._shared_name, EXCLUSIVE_NAME):
            if self._book.holds(name):
                self._book.give_back(name)

    def _shared(self) -> list[Object]:
        """Share, unless somebody runs alone: then give those."""
        if alone := self._book.others(EXCLUSIVE):
            return alone
        self._book.take(self._shared_name, SUITE, "a suite that runs beside others")
        alone = self._book.others(EXCLUSIVE)
        if alone:
            self._book.give_back(self._shared_name)
        return alone

    def _exclusive(self) -> list[Object]:
        holder = self._book.take(EXCLUSIVE_NAME, EXCLUSIVE, "a suite that runs alone")
        return [] if holder is None else [holder]

    def _wait(self, awaited: str, attempt: Callable[[], list[Object]]) -> None:
        """Attempt until nobody is in the way, anew whenever a lease changes or ends."""
        in_the_way = attempt()
        if not in_the_way:
            return
        began = time.monotonic()
        deadline, beat = began + self._within, began
        history = History()
        stream = WatchStream(self._book.cluster, history, LEASE, self._book.namespace, labels=PURPOSE_LABEL)
        stream.start()
        try:
            stream.wait_synced(self._within)
            in_the_way = attempt()
            while in_the_way:
                now = time.monotonic()
                holders = ", ".join(sorted({holder_text(lease) for lease in in_the_way}))
                if now >= deadline:
                    raise LabError(
                        f"this suite could not begin: it waited {human(now - began)} for {awaited}: {holders}; run it "
                        "later, or let it wait for longer with --variable LEASE_TIMEOUT:<time>"
                    )
                if now >= beat:
                    self._heartbeat(f"waiting for {awaited}: {holders}; {human(deadline - now)} left")
                    beat = now + HEARTBEAT_SECONDS
                self._await_change(history, in_the_way, min(deadline, beat))
                in_the_way = attempt()
            # What is known to be dead by now, the next run need not wait for.
            self._book.remove_expired()
        finally:
            stream.stop()

    def _await_change(self, history: History, in_the_way: list[Object], until: float) -> None:
        """Return when a lease that is in the way was removed or is to be looked at again, or at ``until``."""
        names = [str(meta(lease, "name")) for lease in in_the_way]
        left = min(self._book.seconds_left(lease) for lease in in_the_way)
        history.wait(
            lambda: any(history.current(LEASE, name) is None for name in names),
            min(until, time.monotonic() + min(max(_SHORTEST_LOOK, left), RENEW_SECONDS)),
        )
