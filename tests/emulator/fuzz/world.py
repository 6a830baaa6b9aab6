# SPDX-License-Identifier: Apache-2.0
"""An embedded cluster in this very process, on the real data plane, and what is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN, service_account
from emulator.controlplane import names
from emulator.controlplane.cluster.dynamic_networks import install
from emulator.controlplane.profile import Profile, profile_for
from emulator.controlplane.run import ControlPlane, local_client, run_control_plane
from emulator.dataplane.linux import LinuxDataPlane
from emulator.fault_points import Defect, FaultPoints, all_defects
from emulator.kube import conditions
from emulator.kube.client import Client, Obj
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.nodeagent.agent import Identities, NodeAgent
from emulator.pace import Pace
from emulator.platforms.catalogue import registry_of
from emulator.platforms.platform import KUBERNETES

from .steps import LATE, NETWORKS, Batch
from .wire import Wire

NODES = ("node-1", "node-2", "node-3")
COMPONENTS = (
    "system:node:embedded",
    "system:serviceaccount:kube-system:multus",
    "system:serviceaccount:kubevirt:kubevirt-handler",
)
BRIDGES = {"a": ("br1", 101), "b": ("br1", 102), "c": ("br2", 101), LATE: ("br1", 103), "s": ("br2", 104)}
LOCALNET_VLAN = 105
START_SECONDS = 30.0


@dataclass
class World:
    """``unready`` are the nodes that say so; ``crashes`` counts the node agents that died."""

    server: ApiServer
    plane: ControlPlane
    profile: Profile
    batch: Batch
    pace: Pace
    fault_points: FaultPoints
    unready: set[str]
    crashes: int = 0
    # Set while an agent of the nodes works.
    agent_works: asyncio.Event = field(default_factory=asyncio.Event)
    agent: NodeAgent = field(init=False)
    dataplane: LinuxDataPlane = field(init=False)
    wire: Wire = field(init=False)
    _changed: dict[str, asyncio.Event] = field(default_factory=dict)
    _running: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.client = LocalClient(self.server.core, ADMIN)
        self.virt_api = local_client(self.server.core, "system:serviceaccount:kubevirt:kubevirt-apiserver")
        self.server.core.store.listeners.append(lambda event: self.wake(event.key[0]))

    def wake(self, namespace: str = "") -> None:
        """Wakes everything that waits for changes in a namespace, or in all of them."""
        for name, changed in self._changed.items():
            if namespace in ("", name):
                changed.set()

    async def change(self, namespace: str) -> None:
        """Returns at the next commit in a namespace, or to what belongs to none."""
        changed = self._changed.setdefault(namespace, asyncio.Event())
        changed.clear()
        await changed.wait()

    def find(self, resource: str, namespace: str, name: str) -> Obj | None:
        """An object as it is stored now; not to be changed."""
        core = self.server.core
        found = core.find(core.resource(resource), namespace, name)
        return found.obj if found else None

    def all(self, resource: str, namespace: str = "") -> list[Obj]:
        core = self.server.core
        return [item.obj for item in core.items(core.resource(resource), namespace)]

    async def create(self, resource: str, kind: str, name: str, namespace: str = "", **content: Any) -> None:
        meta = {"name": name} | ({"namespace": namespace} if namespace else {})
        await self.client.create(resource, {"kind": kind, "metadata": meta, **content})

    async def nad(self, namespace: str, network: str) -> None:
        """The NAD of a network in a namespace; nothing where it is there already."""
        with contextlib.suppress(ApiError):
            spec = {"config": json.dumps(_configuration(namespace, network))}
            await self.create(names.NAD, "NetworkAttachmentDefinition", f"nad-{network}", namespace, spec=spec)

    async def start_agent(self) -> None:
        dataplane = LinuxDataPlane()
        kubelet, multus, handler = (local_client(self.server.core, user) for user in COMPONENTS)
        handlers: dict[str, Client] = {
            node: LocalClient(
                self.server.core, service_account("kubevirt", "kubevirt-handler", node=node), manager="virt-handler"
            )
            for node in NODES
        }
        self.agent = NodeAgent(
            identities=Identities(kubelet, multus, handler, handlers=handlers),
            dataplane=dataplane,
            nodes=NODES,
            pace=self.pace,
            fault_points=self.fault_points,
            dynamic_networks=self.batch.dynamic,
        )
        ready = asyncio.Event()
        self._running = asyncio.create_task(self.agent.run(ready.set))
        async with asyncio.timeout(START_SECONDS):
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait({self._running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        if self._running.done():
            self._running.result()
        self.dataplane, self.wire = dataplane, await Wire.lay(dataplane, NODES[0])
        self.agent_works.set()
        self.wake()

    async def stop_agent(self) -> None:
        self.agent_works.clear()
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running
        self.wire.close()

    async def set_ready(self, node: str, ready: bool) -> None:
        """Has a node say that it is ready or not, now and in all its heartbeats."""
        (self.unready.discard if ready else self.unready.add)(node)
        found = self.find(names.NODES, "", node)
        if found is None:
            return
        status = {"conditions": [dict(c) for c in found["status"]["conditions"]]}
        reason = "KubeletReady" if ready else "KubeletNotReady"
        for condition in status["conditions"]:
            if condition["type"] == "Ready":
                condition.update(conditions.new("Ready", str(ready), reason=reason))
        client = local_client(self.server.core, COMPONENTS[0])
        await client.patch(names.NODES, node, None, {"status": status}, subresource="status")

    def is_idle(self, namespace: str, vm: str) -> bool:
        """Whether no queue of controllers or nodes has anything of this VM to look at, now or as soon as may be."""
        queues = {queue.name: queue for queue in self.plane.queues}
        queued: dict[str, set[Key]] = {
            "vm": {(namespace, vm)},
            "vmi": {(namespace, vm)},
            "migration": {(namespace, one["metadata"]["name"]) for one in self.all(names.MIGRATION, namespace)},
        }
        if any(queues[name].holds(key) for name, keys in queued.items() for key in keys):
            return False
        if not self.agent_works.is_set() or self.agent.handler.queue.holds((namespace, vm)):
            return False
        pods = {(namespace, pod["metadata"]["name"]) for pod in self.all(names.PODS, namespace)}
        return not any(self.agent.kubelet.queue.holds(key) for key in pods)


@contextlib.asynccontextmanager
async def world_of(batch: Batch, speed: float) -> AsyncIterator[World]:
    """A cluster with three nodes, as the batch wants it."""
    profile, pace, unready = profile_for(batch.version), Pace(speed), set[str]()
    not_ready = Defect(
        name="fuzz: node is not ready",
        sentence="A node says that it is not ready while the fuzzer wants it so.",
        rows=(),
        point="agent.node_ready",
        change=lambda ready, *, node, **_: ready and node not in unready,
    )
    fault_points = FaultPoints([not_ready, *(all_defects()[name] for name in batch.defects)])
    server = ApiServer(ApiCore(registry_of(KUBERNETES, profile)), fault_points=fault_points)
    await server.prepare()
    plane = await run_control_plane(server, profile, pace, fault_points)
    world = World(server, plane, profile, batch, pace, fault_points, unready)
    if batch.dynamic:
        await install(world.client, len(NODES))
    if not batch.limits:
        limits = {"parallelMigrationsPerCluster": 100, "parallelOutboundMigrationsPerNode": 100}
        spec = {"configuration": {"migrations": limits}}
        await world.client.patch(names.KUBEVIRT, "kubevirt", "kubevirt", {"spec": spec})
    await world.create(names.NAMESPACES, "Namespace", "shared")
    await world.nad("shared", "s")
    await world.start_agent()
    try:
        yield world
    finally:
        await world.stop_agent()
        await plane.stop()
        await server.stop()


async def make_home(world: World, namespace: str) -> None:
    """The namespace of a sequence, with its networks."""
    await world.create(names.NAMESPACES, "Namespace", namespace)
    for network in NETWORKS:
        await world.nad(namespace, network)


def _configuration(namespace: str, network: str) -> Obj:
    if network in BRIDGES:
        bridge, vlan = BRIDGES[network]
        return {"cniVersion": "0.3.1", "type": "bridge", "name": network, "bridge": bridge, "vlan": vlan}
    return {
        "cniVersion": "0.4.0",
        "type": "ovn-k8s-cni-overlay",
        "topology": "localnet",
        "name": f"localnet-of-{namespace}",
        "netAttachDefName": f"{namespace}/nad-{network}",
        "physicalNetworkName": "physnet",
        "vlanID": LOCALNET_VLAN,
    }
