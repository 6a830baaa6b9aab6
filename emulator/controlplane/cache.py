# SPDX-License-Identifier: Apache-2.0
"""An informer's cache with lookups, and with waiting until a controller's own writes arrive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

from emulator.kube.informer import Handler, Informer, Key, key_of

log = logging.getLogger(__name__)
Obj = dict[str, Any]
CATCH_UP_SECONDS = 5.0


class Cache:
    """Objects of one resource. They are shared: clone before changing one."""

    def __init__(self, informer: Informer) -> None:
        self.informer = informer
        self._seen: dict[Key, int] = {}
        self._waiters: dict[Key, list[tuple[int, asyncio.Future[None]]]] = {}
        informer.on_change(self._note)

    def get(self, namespace: str, name: str) -> Obj | None:
        return self.informer.get(namespace, name)

    def all(self, namespace: str | None = None, where: Callable[[Obj], bool] | None = None) -> Iterator[Obj]:
        for (space, _), obj in sorted(self.informer.cache.items()):
            if (namespace is None or space == namespace) and (where is None or where(obj)):
                yield obj

    def on_change(self, handler: Handler) -> None:
        self.informer.on_change(handler)

    async def catch_up(self, written: Obj) -> None:
        """Returns once the cache is as new as an object that was just written.

        Otherwise a controller would act on the state before its own write, and create things twice.
        """
        key, version = key_of(written), int(written["metadata"]["resourceVersion"])
        if self._seen.get(key, 0) >= version:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(key, []).append((version, future))
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                await future
        except TimeoutError:
            log.warning("%s %s/%s: version %d has not come back", self.informer.resource, *key, version)

    def _note(self, event: str, obj: Obj, old: Obj | None) -> None:
        key = key_of(obj)
        version = int(obj["metadata"]["resourceVersion"])
        self._seen[key] = max(version, self._seen.get(key, 0))
        waiting = self._waiters.pop(key, [])
        late = []
        for wanted, future in waiting:
            if wanted <= version:
                if not future.done():
                    future.set_result(None)
            else:
                late.append((wanted, future))
        if late:
            self._waiters[key] = late
