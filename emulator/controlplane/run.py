# SPDX-License-Identifier: Apache-2.0
"""Starts the control plane inside the API server's process."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol

from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN, AUTHENTICATED, UserInfo, service_account
from emulator.controlplane.admission.register import register_webhooks
from emulator.controlplane.cluster.bootstrap import bootstrap
from emulator.controlplane.cluster.components import ComponentPods
from emulator.controlplane.context import Shared
from emulator.controlplane.evacuation.controller import EvacuationController
from emulator.controlplane.metrics.monitoring import Monitoring, PlainMonitoring
from emulator.controlplane.metrics.register import register_metrics
from emulator.controlplane.metrics.thanos import OpenShiftMonitoring, Router
from emulator.controlplane.migration.controller import MigrationController
from emulator.controlplane.profile import Profile
from emulator.controlplane.scheduling.controller import Scheduler
from emulator.controlplane.subresources.register import register_subresources
from emulator.controlplane.updater.controller import WorkloadUpdater
from emulator.controlplane.vm.controller import VmController
from emulator.controlplane.vmi.controller import VmiController
from emulator.fault_points import FaultPoints
from emulator.kube.workqueue import WorkQueue
from emulator.pace import Pace
from emulator.platforms.addon import AddonContext, Addons, Server
from emulator.platforms.catalogue import addons_of
from emulator.platforms.platform import KUBERNETES, OPENSHIFT, Platform

MANAGERS = {"kubevirt-controller": "virt-controller", "kubevirt-apiserver": "virt-api"}


class Controller(Protocol):
    queue: WorkQueue

    async def run(self) -> None: ...


class ControlPlane:
    """The running controllers."""

    def __init__(self, shared: Shared, monitoring: Monitoring) -> None:
        self.shared = shared
        self.monitoring = monitoring
        self.queues: list[WorkQueue] = []
        self._tasks: list[asyncio.Task[None]] = []

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def adopt(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        self._tasks.extend(tasks)

    async def stop(self) -> None:
        """Ends every controller; safe to call twice."""
        await self.monitoring.stop()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()


async def run_control_plane(
    server: Server,
    profile: Profile,
    pace: Pace,
    fault_points: FaultPoints,
    stream_tls: ssl.SSLContext | None = None,
    *,
    platform: Platform = KUBERNETES,
    router: Router | None = None,
) -> ControlPlane:
    """Registers webhooks and subresources, creates what an installed KubeVirt consists of, and starts the controllers.

    ``stream_tls`` is the client side of the connection to virt-handler's stream endpoint; None for plain HTTP.
    ``router`` is how Routes are served on OpenShift, None for plain HTTP as well.
    The server must have been prepared, with the platform's registry. Nodes may come later.
    """
    core = server.core
    shared = Shared(lambda user: local_client(core, user), profile, pace, fault_points, platform)
    addons = Addons(addons_of(platform), AddonContext(server, shared))
    register_webhooks(core.admission, shared)
    register_subresources(server, shared, stream_tls)
    monitoring = _monitoring(server, shared, router)
    register_metrics(server, shared, monitoring)
    plane = ControlPlane(shared, monitoring)
    addons.register()
    # The controllers add their handlers to the informers before the first event.
    controllers: list[Controller] = [
        VmController(shared),
        VmiController(shared),
        MigrationController(shared),
        WorkloadUpdater(shared),
        EvacuationController(shared),
        Scheduler(shared),
        ComponentPods(shared),
    ]
    await bootstrap(LocalClient(core, ADMIN, manager="virt-operator"), profile, fault_points, platform)
    await addons.install()
    await monitoring.install(LocalClient(core, ADMIN, manager="prometheus-operator"))
    for resource, informer in shared.informers.items():
        plane.spawn(informer.run(), f"informer {resource}")
    await asyncio.gather(*(informer.synced.wait() for informer in shared.informers.values()))
    for controller in controllers:
        plane.queues.append(controller.queue)
        plane.spawn(controller.run(), type(controller).__name__)
    for number, work in enumerate(monitoring.controllers()):
        plane.spawn(work, f"monitoring {number}")
    plane.adopt(addons.start())
    return plane


def _monitoring(server: Server, shared: Shared, router: Router | None) -> Monitoring:
    if shared.platform is OPENSHIFT:
        return OpenShiftMonitoring(shared, server.tokens, server.authorizer, router)
    return PlainMonitoring(shared)


def local_client(core: ApiCore, user: str) -> LocalClient:
    """A client that acts as a user of the cluster's own components."""
    if user.startswith("system:serviceaccount:"):
        namespace, name = user.split(":")[2:]
        return LocalClient(core, service_account(namespace, name), manager=MANAGERS.get(name, name))
    return LocalClient(core, UserInfo(user, (AUTHENTICATED,)), manager=user.rsplit(":", 1)[-1])
