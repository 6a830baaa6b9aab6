# SPDX-License-Identifier: Apache-2.0
"""A list-and-watch cache of one resource, as client-go's shared informers are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from .client import Client, Obj
from .errors import ApiError

log = logging.getLogger(__name__)

Key = tuple[str, str]
Handler = Callable[[str, Obj, Obj | None], Any]


def key_of(obj: Obj) -> Key:
    """(namespace, name); namespace is "" for a cluster-wide object."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


class Informer:
    """Keeps ``cache`` equal to the server and tells handlers ``(event, new, old)`` of every change.

    Handlers run in the order of the server's events, must not block and see the cache already updated. ``event`` is
    ADDED, MODIFIED or DELETED; ``old`` is None for ADDED. Objects in the cache are shared: copy before changing one.
    """

    def __init__(self, client: Client, resource: str, *, namespace: str | None = None, labels: str = "") -> None:
        self.client = client
        self.resource = resource
        self.namespace = namespace
        self.labels = labels
        self.cache: dict[Key, Obj] = {}
        self.synced = asyncio.Event()
        self._handlers: list[Handler] = []

    def on_change(self, handler: Handler) -> None:
        self._handlers.append(handler)

    def get(self, namespace: str, name: str) -> Obj | None:
        return self.cache.get((namespace, name))

    async def run(self) -> None:
        """Runs until cancelled; re-lists on 410 and on every broken stream."""
        delay = 0.05
        while True:
            try:
                since = await self._relist()
                delay = 0.05
                async for event, obj in self.client.watch(
                    self.resource, self.namespace, since=since, labels=self.labels
                ):
                    self._apply(event, obj)
            except ApiError as error:
                level = logging.DEBUG if error.code == 410 else logging.WARNING
                log.log(level, "%s: %s; listing again", self.resource, error)
            except Exception as error:  # a stream may break in as many ways as its transport knows
                level = logging.DEBUG if self.synced.is_set() else logging.WARNING
                log.log(level, "%s: stream broke (%s); listing again", self.resource, error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)

    async def _relist(self) -> str:
        items, version = await self.client.list(self.resource, self.namespace, labels=self.labels)
        seen = set()
        for obj in items:
            key = key_of(obj)
            seen.add(key)
            old = self.cache.get(key)
            if old is None:
                self._apply("ADDED", obj)
            elif old["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                self._apply("MODIFIED", obj)
        for key in [k for k in self.cache if k not in seen]:
            self._apply("DELETED", self.cache[key])
        self.synced.set()
        return version

    def _apply(self, event: str, obj: Obj) -> None:
        key = key_of(obj)
        old = self.cache.get(key)
        if event == "DELETED":
            self.cache.pop(key, None)
        else:
            self.cache[key] = obj
        for handler in self._handlers:
            handler(event, obj, old)
