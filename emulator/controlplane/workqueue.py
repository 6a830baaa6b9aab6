"""A controller's work queue: keys, each worked on once at a time, with delays and back-off, as client-go's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from emulator.kube.errors import ApiError
from emulator.kube.informer import Key

log = logging.getLogger(__name__)
FIRST_RETRY = 0.005
LAST_RETRY = 5.0


class WorkQueue:
    """Calls ``sync(key)`` for each key that was added; a key that fails is tried again with growing delays."""

    def __init__(self, name: str, sync: Callable[[Key], Awaitable[None]]) -> None:
        self.name = name
        self._sync = sync
        self._ready: list[Key] = []
        self._waiting: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()
        self._working_on: Key | None = None

    def add(self, key: Key) -> None:
        if key not in self._ready:
            self._ready.append(key)
            self._wake.set()

    def holds(self, key: Key) -> bool:
        """Whether the key is worked on now, or as soon as may be; a delay that still lasts does not count."""
        return key == self._working_on or key in self._ready

    def add_after(self, key: Key, seconds: float) -> None:
        """Adds later, in seconds of this process; of several delays of one key the shortest counts."""
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

    def _due(self, key: Key) -> None:
        self._waiting.pop(key, None)
        self.add(key)

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            while True:
                while not self._ready:
                    self._wake.clear()
                    await self._wake.wait()
                self._working_on = self._ready.pop(0)
                await self._work(self._working_on)
                self._working_on = None
                # Calls inside the process may never suspend: let the watches run between two keys.
                await asyncio.sleep(0)
        finally:
            for handle in self._waiting.values():
                handle.cancel()
            self._waiting.clear()

    async def _work(self, key: Key) -> None:
        try:
            await self._sync(key)
        except ApiError as error:
            # A conflict is normal: somebody else wrote first, and the next look sees what.
            level = logging.DEBUG if error.code in (404, 409, 422) else logging.INFO
            log.log(level, "%s: %s/%s: %s; trying again", self.name, *key, error)
            self._retry(key)
        except Exception:
            log.exception("%s: %s/%s failed; trying again", self.name, *key)
            self._retry(key)
        else:
            self._failures.pop(key, None)

    def _retry(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(FIRST_RETRY * 2**failures, LAST_RETRY))
