# SPDX-License-Identifier: Apache-2.0
"""The client for code that runs in the API server's own process."""

from __future__ import annotations

from collections.abc import AsyncIterator

from emulator.kube.client import JsonPatch

from . import create_update, deletion
from .core import ApiCore, parse_version
from .eviction import EVICTION, evict
from .objects import Obj, clone
from .registry import Resource
from .request_context import Call, DeleteOptions, Target
from .users import UserInfo


class LocalClient:
    """``emulator.kube.client.Client`` without a network: the same semantics with admission, but without RBAC.

    ``manager`` is the field manager that managedFields show; by default the last part of the user's name.
    """

    def __init__(self, core: ApiCore, user: UserInfo, *, manager: str = "") -> None:
        self.core = core
        self.user = user
        self.manager = manager or user.name.rsplit(":", 1)[-1]

    def _call(self) -> Call:
        return Call(user=self.user, manager=self.manager, validation="Ignore")

    def _out(self, resource: Resource, obj: Obj) -> Obj:
        found: Obj = clone(self.core.shown(resource, obj))
        return found

    async def get(self, resource: str, name: str, namespace: str | None = None) -> Obj:
        kind = self.core.resource(resource)
        return self._out(kind, self.core.get(kind, namespace or "", name).obj)

    async def list(
        self, resource: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> tuple[list[Obj], str]:
        kind = self.core.resource(resource)
        matches = self.core.selector(kind, labels, fields)
        found = self.core.items(kind, namespace or "", matches)
        return [self._out(kind, item.obj) for item in found], str(self.core.store.rv)

    async def create(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        kind = self.core.resource(resource)
        if subresource == EVICTION:
            meta = obj["metadata"]
            target = Target(kind, meta.get("namespace", ""), meta["name"], subresource)
            await evict(self.core, self._call(), target, clone(obj))
            return obj
        if subresource:
            raise ValueError(f"{resource}/{subresource} cannot be created in process; ask its handler")
        namespace = obj["metadata"].get("namespace", "")
        return self._out(
            kind, (await create_update.create(self.core, self._call(), Target(kind, namespace), clone(obj))).obj
        )

    async def replace(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        kind = self.core.resource(resource)
        meta = obj["metadata"]
        target = Target(kind, meta.get("namespace", ""), meta["name"], subresource)
        item = await create_update.replace(self.core, self._call(), target, clone(obj))
        return self._out(kind, item.obj)

    async def patch(
        self,
        resource: str,
        name: str,
        namespace: str | None,
        patch: JsonPatch | Obj,
        *,
        subresource: str = "",
    ) -> Obj:
        kind = self.core.resource(resource)
        item = await create_update.patch(
            self.core, self._call(), Target(kind, namespace or "", name, subresource), patch
        )
        return self._out(kind, item.obj)

    async def delete(
        self,
        resource: str,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        grace: int | None = None,
        propagation: str | None = None,
    ) -> None:
        kind = self.core.resource(resource)
        options = DeleteOptions(grace=grace, propagation=propagation or "", uid=uid or "")
        await deletion.delete(self.core, self._call(), Target(kind, namespace or "", name), options)

    async def watch(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        since: str,
        labels: str = "",
        fields: str = "",
    ) -> AsyncIterator[tuple[str, Obj]]:
        kind = self.core.resource(resource)
        matches = self.core.selector(kind, labels, fields)
        with self.core.subscribe(kind, namespace or "", matches) as subscription:
            subscription.start(parse_version(since))
            while not subscription.closed:
                for event, item in await subscription.next():
                    yield event, self._out(kind, item.obj)
