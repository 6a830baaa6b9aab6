# SPDX-License-Identifier: Apache-2.0
"""The suite lock: suites share the cluster, but one that changes its settings runs alone. It uses leases of all runs.

A suite that shares takes its own lease. If there is an active exclusive lease, it releases its own and waits. A suite
that runs alone takes the exclusive lease first, and then waits until no other suite has a lease. A waiter for the
exclusive lease holds no lease, so deadlock is impossible.
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
    """The suite lock of one run. Not thread-safe."""

    def __init__(self, book: LeaseBook, within: float, heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._within = within
        self._heartbeat = heartbeat
        self._shared_name = lease_name("suite", book.run_id)

    def share(self) -> None:
        """Begin a suite that shares the cluster. Raises LabError when others run alone for too long."""
        self._wait("a suite that runs alone", self._shared)

    def alone(self) -> None:
        """Begin a suite that runs alone. Raises LabError when others run for too long."""
        try:
            self._wait("another suite that runs alone", self._exclusive)
            self._wait("the running suites", lambda: self._book.others(SUITE))
        except LabError:
            self.leave()
            raise

    def leave(self) -> None:
        """End the suite. Does nothing when none has begun."""
        for name in (self._shared_name, EXCLUSIVE_NAME):
            if self._book.holds(name):
                self._book.give_back(name)

    def _shared(self) -> list[Object]:
        """Take the shared lease; returns the exclusive leases that prevent it."""
        if alone := self._book.others(EXCLUSIVE):
            return alone
        self._book.take(self._shared_name, SUITE, "a suite that shares the cluster")
        alone = self._book.others(EXCLUSIVE)
        if alone:
            self._book.give_back(self._shared_name)
        return alone

    def _exclusive(self) -> list[Object]:
        holder = self._book.take(EXCLUSIVE_NAME, EXCLUSIVE, "a suite that runs alone")
        return [] if holder is None else [holder]

    def _wait(self, awaited: str, attempt: Callable[[], list[Object]]) -> None:
        """Attempt until no lease blocks, again whenever a lease changes or expires."""
        blocking = attempt()
        if not blocking:
            return
        began = time.monotonic()
        deadline, beat = began + self._within, began
        history = History()
        stream = WatchStream(self._book.cluster, history, LEASE, self._book.namespace, labels=PURPOSE_LABEL)
        stream.start()
        try:
            stream.wait_synced(self._within)
            blocking = attempt()
            while blocking:
                now = time.monotonic()
                holders = ", ".join(sorted({holder_text(lease) for lease in blocking}))
                if now >= deadline:
                    raise LabError(
                        f"this suite could not begin: it waited {human(now - began)} for {awaited}: {holders}; run it "
                        "later, or let it wait longer with --variable LEASE_TIMEOUT:<time>"
                    )
                if now >= beat:
                    self._heartbeat(f"waiting for {awaited}: {holders}; {human(deadline - now)} left")
                    beat = now + HEARTBEAT_SECONDS
                self._await_change(history, blocking, min(deadline, beat))
                blocking = attempt()
            # The next run need not wait for leases that are known to have expired.
            self._book.remove_expired()
        finally:
            stream.stop()

    def _await_change(self, history: History, blocking: list[Object], until: float) -> None:
        """Return when a blocking lease was removed or has to be read again, or at ``until``."""
        names = [str(meta(lease, "name")) for lease in blocking]
        left = min(self._book.seconds_left(lease) for lease in blocking)
        history.wait(
            lambda: any(history.current(LEASE, name) is None for name in names),
            min(until, time.monotonic() + min(max(_SHORTEST_LOOK, left), RENEW_SECONDS)),
        )
