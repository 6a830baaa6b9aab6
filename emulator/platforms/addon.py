# SPDX-License-Identifier: Apache-2.0
"""Add-ons of a platform: each brings resources, objects, webhooks, paths and controllers of one topic."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.rbac import Authorizer
from emulator.apiserver.registry import Resource
from emulator.apiserver.tokens import Tokens
from emulator.apiserver.users import ADMIN, service_account
from emulator.controlplane.context import Shared
from emulator.controlplane.profile import Profile
from emulator.controlplane.subresources.register import Routes
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError

from .platform import Platform


class Server(Routes, Protocol):
    """The API server as an add-on needs it."""

    core: ApiCore
    tokens: Tokens
    authorizer: Authorizer

    def deny_with(self, group: str, resource: str, verb: str, message: str) -> None: ...


@dataclass(frozen=True)
class AddonContext:
    """The cluster of an add-on: its API server, and what KubeVirt's controllers share."""

    server: Server
    shared: Shared

    @property
    def core(self) -> ApiCore:
        return self.server.core

    @property
    def platform(self) -> Platform:
        return self.shared.platform

    @property
    def profile(self) -> Profile:
        return self.shared.profile

    @property
    def release(self) -> str:
        """The platform's release, such as ``4.22.3``."""
        return self.platform.releases[self.profile.name]

    def client(self, namespace: str, name: str) -> LocalClient:
        """A client that acts as a service account of the platform."""
        return LocalClient(self.core, service_account(namespace, name), manager=name)

    async def ensure(self, resource: str, *objects: Obj, status: bool = False) -> None:
        """Creates the objects as the installer would; existing ones stay.

        With ``status`` their status is written, too, if the resource has a status subresource.
        """
        client = LocalClient(self.core, ADMIN, manager="cluster-version-operator")
        for obj in objects:
            meta = obj["metadata"]
            try:
                await client.create(resource, obj)
            except ApiError as error:
                if error.code != 409:
                    raise
            if status and "status" in obj:
                said = {"status": obj["status"]}
                await client.patch(resource, meta["name"], meta.get("namespace"), said, subresource="status")

    async def ensure_namespaces(self, *names: str, labels: dict[str, str] | None = None) -> None:
        for name in names:
            meta = {"name": name, "labels": labels or {}}
            await self.ensure("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


class Addon:
    """One add-on. Every method is optional. They are called in this order, ``resources`` before a store exists."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        """The resources that it adds. A custom one gets its CustomResourceDefinition automatically."""
        return ()

    def register(self, context: AddonContext) -> None:
        """Registers webhooks and paths with the API server; KubeVirt's webhooks are already registered."""

    async def install(self, context: AddonContext) -> None:
        """Creates the initial objects; KubeVirt's service accounts already exist."""

    def controllers(self, context: AddonContext) -> Iterable[Coroutine[Any, Any, None]]:
        """Controllers, which run until they are cancelled. They start when everything is installed."""
        return ()


class Addons:
    """The add-ons of one cluster."""

    def __init__(self, addons: Iterable[Addon], context: AddonContext) -> None:
        self._addons = tuple(addons)
        self._context = context

    def register(self) -> None:
        for addon in self._addons:
            addon.register(self._context)

    async def install(self) -> None:
        for addon in self._addons:
            await addon.install(self._context)

    def start(self) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(work) for addon in self._addons for work in addon.controllers(self._context)]
