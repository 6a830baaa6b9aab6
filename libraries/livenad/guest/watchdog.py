# SPDX-License-Identifier: Apache-2.0
"""Ends waits of other libraries that take no time limit."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GRACE_SECONDS = 2.0
"""Seconds after which the next, stronger end of a wait is tried."""


@dataclass(order=True)
class _Watch:
    at: float
    number: int
    ends: list[Callable[[], object]] = field(compare=False)


class Watchdog:
    """One thread for all waits of a process; it only runs while something is waited for."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._watches: list[_Watch] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0

    @contextmanager
    def limit(self, seconds: float, *ends: Callable[[], object]) -> Iterator[None]:
        """Calls the first of ``ends`` when the block has lasted so long, each further one two seconds later."""
        watch = _Watch(time.monotonic() + seconds, next(self._numbers), list(ends))
        with self._state:
            heapq.heappush(self._watches, watch)
            if self._thread is None:
                self._wakes_at = watch.at
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif watch.at < self._wakes_at:
                self._state.notify()
        try:
            yield
        finally:
            with self._state:
                watch.ends.clear()

    def _run(self) -> None:
        with self._state:
            while True:
                while self._watches and not self._watches[0].ends:
                    heapq.heappop(self._watches)
                if not self._watches:
                    self._thread = None
                    return
                first = self._watches[0]
                left = first.at - time.monotonic()
                if left > 0:
                    self._wakes_at = first.at
                    self._state.wait(left)
                    continue
                heapq.heappop(self._watches)
                # In a thread of its own: what ends a wait may have to wait itself.
                threading.Thread(target=_end, args=(first.ends.pop(0),), daemon=True).start()
                if first.ends:
                    first.at += GRACE_SECONDS
                    heapq.heappush(self._watches, first)


def _end(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:
        return


WATCHDOG = Watchdog()
