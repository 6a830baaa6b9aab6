# SPDX-License-Identifier: Apache-2.0
"""A control plane with addons of a platform in the test's own process, and waiting for what they write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN
from emulator.controlplane.profile import profile_for
from emulator.controlplane.run import run_control_plane
from emulator.fault_points import FaultPoints
from emulator.kube.client import Client, Obj
from emulator.kube.errors import ApiError
from emulator.pace import Pace
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.catalogue import registry_of
from emulator.platforms.platform import KUBERNETES, Platform

PATIENCE = 10.0


@dataclass
class Cluster:
    server: ApiServer
    context: AddonContext
    client: LocalClient

    async def until(self, resource: str, name: str, good: Callable[[Any], object], namespace: str = "") -> Any:
        """The object (None when it is gone) as soon as it is good."""
        return await wait_for(self.client, resource, name, good, namespace)

    async def find(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        return await find(self.client, resource, name, namespace)

    async def namespace(self, name: str, **labels: str) -> None:
        meta = {"name": name, "labels": labels}
        await self.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


@asynccontextmanager
async def cluster_with(*addons: Addon, platform: Platform = KUBERNETES, speed: float = 50) -> AsyncIterator[Cluster]:
    """A cluster without nodes whose platform has these addons."""
    profile, registry = profile_for("1.9"), registry_of(KUBERNETES, profile_for("1.9"))
    for addon in addons:
        for resource in addon.resources(platform, profile):
            registry.register(resource)
    server = ApiServer(ApiCore(registry))
    await server.prepare()
    plane = await run_control_plane(server, profile, Pace(speed), FaultPoints())
    context = AddonContext(server, plane.shared)
    tasks = []
    try:
        for addon in addons:
            addon.register(context)
            await addon.install(context)
            tasks += [asyncio.create_task(work) for work in addon.controllers(context)]
        yield Cluster(server, context, LocalClient(server.core, ADMIN))
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await plane.stop()
        await server.stop()
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def find(client: Client, resource: str, name: str, namespace: str = "") -> Obj | None:
    """None when there is no such object."""
    try:
        return await client.get(resource, name, namespace)
    except ApiError as error:
        assert error.code == 404
        return None


async def wait_for(client: Client, resource: str, name: str, good: Callable[[Any], object], namespace: str = "") -> Any:
    """The object (None when it is gone) as soon as it is good; AssertionError with the last one seen."""
    seen: Obj | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                seen = await find(client, resource, name, namespace)
                if good(seen):
                    return seen
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{resource} {name} did not get there: {json.dumps(seen, indent=1)}") from None


def condition(obj: Obj | None, kind: str) -> Obj:
    """A condition of an object's status; empty while there is none."""
    found = ((obj or {}).get("status") or {}).get("conditions") or []
    return next((dict(c) for c in found if c["type"] == kind), {})
