# SPDX-License-Identifier: Apache-2.0
"""A controller's work queue, as client-go's: keys without duplicates, delays, and retries with back-off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from .errors import ApiError
from .informer import Key

log = logging.getLogger(__name__)
FIRST_RETRY = 0.005
LAST_RETRY = 5.0


class WorkQueue:
    """Calls ``sync(key)`` for each key that was added, in the order in which they were added.

    A key is never synced twice in parallel; one that is added during its sync is synced again afterwards. A key whose
    sync raises is retried, with delays that double from ``first_retry`` to ``last_retry`` seconds. Exceptions other
    than ``expected`` are logged with their traceback: one broken object must not stop a controller.
    ``workers`` is the number of keys that are synced in parallel, None for no limit.
    """

    def __init__(
        self,
        name: str,
        sync: Callable[[Key], Awaitable[None]],
        *,
        workers: int | None = 1,
        first_retry: float = FIRST_RETRY,
        last_retry: float = LAST_RETRY,
        expected: tuple[type[Exception], ...] = (ApiError,),
    ) -> None:
        self.name = name
        self._sync = sync
        self._workers = workers
        self._first_retry = first_retry
        self._last_retry = last_retry
        self._expected = expected
        # In the order in which they were added; a dictionary for its look-up by key.
        self._ready: dict[Key, None] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._waiting: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._started = False

    def add(self, key: Key) -> None:
        """Has the key synced as soon as a worker is free."""
        self._ready[key] = None
        self._dispatch()

    def add_after(self, key: Key, seconds: float) -> None:
        """Adds the key later, in seconds of this process; of several delays of one key the shortest counts."""
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        old = self._waiting.get(key)
        if old is not None:
            if old.when() <= loop.time() + seconds:
                return
            old.cancel()
        self._waiting[key] = loop.call_later(seconds, self._due, key)

    def holds(self, key: Key) -> bool:
        """Whether the key is being synced, or waits for a worker; a key whose delay still lasts does not count."""
        return key in self._running or key in self._ready

    def start(self) -> None:
        """Keys are synced from now on."""
        self._started = True
        self._dispatch()

    async def stop(self) -> None:
        """Cancels every sync that runs and every delay; no key is synced from now on."""
        self._started = False
        for handle in self._waiting.values():
            handle.cancel()
        self._waiting.clear()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self) -> None:
        """Syncs keys until it is cancelled."""
        self.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.stop()

    def _due(self, key: Key) -> None:
        self._waiting.pop(key, None)
        self.add(key)

    def _dispatch(self) -> None:
        if not self._started:
            return
        for key in list(self._ready):
            if self._workers is not None and len(self._running) >= self._workers:
                return
            if key not in self._running:
                del self._ready[key]
                self._running[key] = asyncio.create_task(self._work(key), name=f"{self.name} {key}")

    async def _work(self, key: Key) -> None:
        try:
            await self._attempt(key)
        finally:
            del self._running[key]
            self._dispatch()

    async def _attempt(self, key: Key) -> None:
        try:
            await self._sync(key)
        except self._expected as error:
            # A conflict is normal: another client wrote first, and the next attempt reads what it wrote.
            is_normal = isinstance(error, ApiError) and error.code in (404, 409, 422)
            log.log(logging.DEBUG if is_normal else logging.INFO, "%s: %s/%s: %s; trying again", self.name, *key, error)
            self._retry(key)
        except Exception:
            log.exception("%s: %s/%s failed; trying again", self.name, *key)
            self._retry(key)
        else:
            self._failures.pop(key, None)

    def _retry(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(self._first_retry * 2**failures, self._last_retry))
