"""A work queue: each key is worked on by one coroutine at a time, and again when it was marked meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..dataplane.model import DataPlaneError
from ..kube.errors import ApiError
from ..kube.informer import Key

log = logging.getLogger(__name__)

FIRST_RETRY = 0.05
LAST_RETRY = 2.0


class KeyedQueue:
    """Runs ``sync(key)`` for every key that is marked; different keys run side by side.

    A sync that the API or the data plane refused is run again after a growing delay. Other exceptions are logged with
    their traceback and retried as well: one broken object must not stop a node.
    """

    def __init__(self, name: str, sync: Callable[[Key], Awaitable[None]]) -> None:
        self._name = name
        self._sync = sync
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._dirty: set[Key] = set()
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._delays: dict[Key, float] = {}

    def mark(self, key: Key) -> None:
        """Has ``key`` worked on soon; a mark during its sync has it worked on again."""
        if timer := self._later.pop(key, None):
            timer.cancel()
        if key in self._running:
            self._dirty.add(key)
            return
        self._running[key] = asyncio.create_task(self._work(key), name=f"{self._name} {key}")

    def mark_in(self, key: Key, seconds: float) -> None:
        """Marks the key after a while, unless it is marked before."""
        if old := self._later.pop(key, None):
            old.cancel()
        self._later[key] = asyncio.get_running_loop().call_later(seconds, self.mark, key)

    def holds(self, key: Key) -> bool:
        """Whether the key is worked on now; a delay that still lasts does not count."""
        return key in self._running

    async def stop(self) -> None:
        """Cancels everything that waits or runs."""
        for timer in self._later.values():
            timer.cancel()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, key: Key) -> None:
        try:
            while True:
                self._dirty.discard(key)
                await self._once(key)
                if key not in self._dirty:
                    return
        finally:
            self._running.pop(key, None)
            self._dirty.discard(key)

    async def _once(self, key: Key) -> None:
        try:
            await self._sync(key)
        except (ApiError, DataPlaneError) as error:
            log.warning("%s %s/%s: %s", self._name, *key, error)
        except Exception:
            log.exception("%s %s/%s", self._name, *key)
        else:
            self._delays.pop(key, None)
            return
        delay = self._delays.get(key, FIRST_RETRY)
        self._delays[key] = min(delay * 2, LAST_RETRY)
        self.mark_in(key, delay)
