# SPDX-License-Identifier: Apache-2.0
"""A watch's subscription to the changes of one bucket, filtered by namespace and selectors."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType

from .objects import Obj
from .status_errors import too_old
from .store import Bucket, Event, Item, Store

Predicate = Callable[[Obj], bool]
Change = tuple[str, Item]
# Events that a watch may fall behind before it is ended.
MAX_BEHIND = 10_000


class Subscription:
    """The changes of a bucket after a revision, in order. Use as a context manager, or call ``close``."""

    def __init__(self, store: Store, bucket: Bucket, *, namespace: str, matches: Predicate | None, name: str) -> None:
        self._store = store
        self._bucket = bucket
        self._namespace = namespace
        self._name = name
        self._matches = matches
        self._pending: deque[Event] = deque()
        self._wake: asyncio.Future[None] | None = None
        self.closed = False
        # The newest revision that this watch is known to have seen.
        self.rv = bucket.rv

    def start(self, since: int) -> None:
        """Replays what came after ``since``; ApiError 410 when the window no longer holds it."""
        if since < self._bucket.dropped:
            raise too_old(since, self._bucket.dropped)
        for event in self._bucket.events:
            if event.rv > since:
                self._push(event)
        self._bucket.listeners.append(self._push)
        self._store.on_close(self.close)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the watch: ``next`` answers what is left, then an empty list."""
        self.closed = True
        self._store.off_close(self.close)
        if self._push in self._bucket.listeners:
            self._bucket.listeners.remove(self._push)
        self._signal()

    def _push(self, event: Event) -> None:
        self.rv = event.rv
        if self._namespace and event.key[0] != self._namespace:
            return
        if self._name and event.key[1] != self._name:
            return
        self._pending.append(event)
        if len(self._pending) > MAX_BEHIND:
            # The client reads too slowly: it must list again, as on a real cluster.
            self._pending.clear()
            self.close()
        self._signal()

    def _signal(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def drain(self) -> list[Change]:
        """What has come since the last call; may be empty."""
        found = []
        while self._pending:
            change = self._filter(self._pending.popleft())
            if change is not None:
                found.append(change)
        return found

    async def next(self, within: float | None = None) -> list[Change]:
        """Waits for changes; an empty list when ``within`` seconds passed or the watch is closed."""
        loop = asyncio.get_running_loop()
        deadline = None if within is None else loop.time() + within
        while True:
            found = self.drain()
            if found or self.closed:
                return found
            self._wake = loop.create_future()
            handle = loop.call_at(deadline, self._signal) if deadline is not None else None
            try:
                await self._wake
            finally:
                self._wake = None
                if handle is not None:
                    handle.cancel()
            if deadline is not None and not self._pending and loop.time() >= deadline:
                return []

    def _filter(self, event: Event) -> Change | None:
        if self._matches is None:
            return event.type, event.item
        if event.type == "DELETED":
            return (event.type, event.item) if self._matches(event.item.obj) else None
        before = event.before is not None and self._matches(event.before.obj)
        if self._matches(event.item.obj):
            return ("MODIFIED" if before else "ADDED"), event.item
        return ("DELETED", event.left()) if before else None
