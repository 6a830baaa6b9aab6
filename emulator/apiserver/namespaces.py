# SPDX-License-Identifier: Apache-2.0
"""The namespace controller: fills new namespaces, and empties terminating ones before they are removed."""

from __future__ import annotations

import asyncio
import logging

from emulator.kube.errors import ApiError

from . import create_update, deletion
from .core import ApiCore
from .objects import Obj, clone
from .request_context import Call, DeleteOptions, Target
from .store import Event, Stale
from .users import service_account

log = logging.getLogger(__name__)

ROOT_CA = "kube-root-ca.crt"


class NamespaceController:
    """Fills new namespaces and empties terminating ones. Call ``start`` before the first commit."""

    def __init__(self, core: ApiCore, *, root_ca: str = "") -> None:
        self._core = core
        self._root_ca = root_ca
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._terminating: set[str] = set()
        self._call = Call(
            user=service_account("kube-system", "namespace-controller"), manager="kube-controller-manager"
        )

    def start(self) -> None:
        self._core.store.listeners.append(self._seen)

    def _seen(self, event: Event) -> None:
        namespace, name = event.key
        if event.bucket == "namespaces":
            if event.type == "DELETED":
                self._terminating.discard(name)
                return
            if event.item.obj["metadata"].get("deletionTimestamp"):
                self._terminating.add(name)
            if event.type == "ADDED" or name in self._terminating:
                self._add(name)
            return
        refilled = event.type == "DELETED" and event.bucket in ("serviceaccounts", "configmaps")
        if namespace in self._terminating or (refilled and namespace):
            self._add(namespace)

    def _add(self, name: str) -> None:
        if name not in self._queued:
            self._queued.add(name)
            self._queue.put_nowait(name)

    async def run(self) -> None:
        while True:
            name = await self._queue.get()
            self._queued.discard(name)
            try:
                await self._process(name)
            except ApiError as error:
                log.debug("namespace controller: %s: %s", name, error)

    async def _process(self, name: str) -> None:
        item = self._core.store.get("namespaces", ("", name))
        if item is None:
            return
        if not item.obj["metadata"].get("deletionTimestamp"):
            await self._fill(name)
        elif (item.obj.get("spec") or {}).get("finalizers") and await self._empty(name):
            finalize(self._core, name, [])

    async def _fill(self, name: str) -> None:
        await self._ensure("serviceaccounts", name, {"metadata": {"name": "default"}})
        if self._root_ca:
            note = {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when "
                "using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
                "guaranteed across distributions of Kubernetes clusters."
            }
            body = {"metadata": {"name": ROOT_CA, "annotations": note}, "data": {"ca.crt": self._root_ca}}
            await self._ensure("configmaps", name, body)

    async def _ensure(self, key: str, namespace: str, body: Obj) -> None:
        resource = self._core.resource(key)
        if self._core.find(resource, namespace, body["metadata"]["name"]) is None:
            await create_update.create(self._core, self._call, Target(resource, namespace), body)

    async def _empty(self, name: str) -> bool:
        """Deletes everything in the namespace; answers whether all of it is gone."""
        left = 0
        for resource in self._core.registry:
            if not resource.namespaced or resource.shares or "delete" not in resource.verbs:
                continue
            for item in self._core.items(resource, name):
                if not item.obj["metadata"].get("deletionTimestamp"):
                    target = Target(resource, name, item.obj["metadata"]["name"])
                    options = DeleteOptions(propagation="Background")
                    await deletion.delete(self._core, self._call, target, options)
            left += len(self._core.items(resource, name))
        return left == 0


def finalize(core: ApiCore, name: str, finalizers: list[str]) -> Obj:
    """Sets a namespace's ``spec.finalizers``; removes a terminating one that has none left. ApiError 404."""
    resource = core.resource("namespaces")
    while True:
        item = core.get(resource, "", name)
        obj: Obj = clone(item.obj)
        obj["spec"] = {**(obj.get("spec") or {}), "finalizers": finalizers}
        meta = obj["metadata"]
        try:
            if meta.get("deletionTimestamp") and not finalizers and not meta.get("finalizers"):
                core.store.remove("namespaces", ("", name), item)
            else:
                core.store.commit("namespaces", ("", name), obj, item)
        except Stale:
            continue
        return obj
