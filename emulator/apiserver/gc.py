# SPDX-License-Identifier: Apache-2.0
"""The garbage collector: deletes or orphans the dependents of a deleted owner."""

from __future__ import annotations

import asyncio
import logging

from emulator.kube.errors import ApiError

from . import create_update, deletion
from .core import ApiCore
from .objects import Obj
from .request_context import Call, DeleteOptions, Target
from .store import Event, Item
from .users import service_account

log = logging.getLogger(__name__)

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
Where = tuple[str, tuple[str, str]]


class GarbageCollector:
    """Follows every commit of the store. ``run`` works until it is cancelled; ``start`` must come before it."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core
        self._live: dict[str, Where] = {}
        self._owners: dict[str, frozenset[str]] = {}
        self._dependents: dict[str, set[str]] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._call = Call(
            user=service_account("kube-system", "generic-garbage-collector"), manager="kube-controller-manager"
        )

    def start(self) -> None:
        self._core.store.listeners.append(self._seen)

    def _seen(self, event: Event) -> None:
        meta = event.item.obj["metadata"]
        uid = meta["uid"]
        if event.type == "DELETED":
            self._forget(uid)
            return
        self._live[uid] = (event.bucket, event.key)
        owners = frozenset(owner["uid"] for owner in meta.get("ownerReferences") or ())
        before = self._owners.get(uid, frozenset())
        if owners != before:
            self._link(uid, before, owners)
        leaving = meta.get("deletionTimestamp") and {ORPHAN, FOREGROUND} & set(meta.get("finalizers") or ())
        if leaving or any(owner not in self._live for owner in owners):
            self._add(uid)

    def _link(self, uid: str, before: frozenset[str], owners: frozenset[str]) -> None:
        for owner in before - owners:
            self._dependents.get(owner, set()).discard(uid)
            self._add(owner)
        for owner in owners - before:
            self._dependents.setdefault(owner, set()).add(uid)
        self._owners[uid] = owners

    def _forget(self, uid: str) -> None:
        self._live.pop(uid, None)
        for dependent in self._dependents.pop(uid, ()):
            self._add(dependent)
        for owner in self._owners.pop(uid, ()):
            self._dependents.get(owner, set()).discard(uid)
            self._add(owner)

    def _add(self, uid: str) -> None:
        if uid not in self._queued:
            self._queued.add(uid)
            self._queue.put_nowait(uid)

    async def run(self) -> None:
        while True:
            uid = await self._queue.get()
            self._queued.discard(uid)
            try:
                await self._process(uid)
            except ApiError as error:
                # Another client changed the object meanwhile; that commit has queued its new state.
                log.debug("garbage collector: %s", error)

    def _find(self, uid: str) -> tuple[Target, Item] | None:
        where = self._live.get(uid)
        if where is None:
            return None
        bucket, key = where
        item = self._core.store.get(bucket, key)
        if item is None or item.obj["metadata"]["uid"] != uid:
            return None
        return Target(self._core.resource(bucket), key[0], key[1]), item

    async def _process(self, uid: str) -> None:
        found = self._find(uid)
        if found is None:
            return
        target, item = found
        meta = item.obj["metadata"]
        if meta.get("deletionTimestamp"):
            finalizers = meta.get("finalizers") or []
            if ORPHAN in finalizers:
                await self._orphan(uid, target)
            elif FOREGROUND in finalizers:
                await self._foreground(uid, target)
            return
        if meta.get("ownerReferences"):
            await self._dependent(uid, target, meta["ownerReferences"])

    async def _orphan(self, uid: str, target: Target) -> None:
        for dependent in tuple(self._dependents.get(uid, ())):
            found = self._find(dependent)
            if found is not None:
                await self._drop_owners(found[0], {uid})
        await self._drop_finalizer(target, ORPHAN)

    async def _foreground(self, uid: str, target: Target) -> None:
        blocked = False
        for dependent in tuple(self._dependents.get(uid, ())):
            found = self._find(dependent)
            if found is None:
                continue
            refs = found[1].obj["metadata"].get("ownerReferences") or []
            blocked |= any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in refs)
            if not found[1].obj["metadata"].get("deletionTimestamp"):
                await self._dependent(dependent, found[0], refs)
        if not blocked:
            await self._drop_finalizer(target, FOREGROUND)

    async def _dependent(self, uid: str, target: Target, refs: list[Obj]) -> None:
        absent = {ref["uid"] for ref in refs if ref["uid"] not in self._live}
        waiting = {ref["uid"] for ref in refs if ref["uid"] in self._live and self._is_waiting(ref["uid"])}
        if len(absent | waiting) < len({ref["uid"] for ref in refs}):
            if absent or waiting:
                await self._drop_owners(target, absent | waiting)
            return
        policy = "Foreground" if waiting and self._dependents.get(uid) else "Background"
        await deletion.delete(self._core, self._call, target, DeleteOptions(propagation=policy, uid=uid))

    def _is_waiting(self, uid: str) -> bool:
        found = self._find(uid)
        if found is None:
            return False
        meta = found[1].obj["metadata"]
        return bool(meta.get("deletionTimestamp")) and FOREGROUND in (meta.get("finalizers") or ())

    async def _drop_owners(self, target: Target, uids: set[str]) -> None:
        def change(obj: Obj) -> Obj:
            meta = obj["metadata"]
            meta["ownerReferences"] = [ref for ref in meta.get("ownerReferences") or () if ref["uid"] not in uids]
            return obj

        await create_update.update(self._core, self._call, target, change)

    async def _drop_finalizer(self, target: Target, name: str) -> None:
        def change(obj: Obj) -> Obj:
            obj["metadata"]["finalizers"] = [f for f in obj["metadata"].get("finalizers") or () if f != name]
            return obj

        await create_update.update(self._core, self._call, target, change)
