# SPDX-License-Identifier: Apache-2.0
"""A control plane with its real API server core, a recorder of what it writes, and the words tests are made of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN
from emulator.controlplane import names
from emulator.controlplane.profile import profile_for
from emulator.controlplane.run import ControlPlane, run_control_plane
from emulator.fault_points import FaultPoints
from emulator.kube.errors import ApiError
from emulator.kube.informer import Informer
from emulator.pace import Pace
from emulator.platforms.catalogue import registry_of
from emulator.platforms.platform import KUBERNETES

from .agent import Agent

Obj = dict[str, Any]
NAMESPACE = "lab"
# For a real clock on a machine that is not too busy. In a virtual one (virtualtime.py) delays last as long as they say.
FAST = 25.0
RECORDED = (names.VM, names.VMI, names.MIGRATION, names.PODS, names.EVENTS)


@dataclass
class Lab:
    server: ApiServer
    core: ApiCore
    client: LocalClient
    agent: Agent
    plane: ControlPlane
    history: list[tuple[str, str, Obj]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, event: str, new: Obj, old: Obj | None) -> None:
        if new["metadata"].get("namespace") == NAMESPACE:
            self.history.append((event, new["kind"], new))
            self.changed.set()

    async def until(self, what: str, condition: Callable[[], bool], within: float = 30.0) -> None:
        """Waits for the recorded history to make ``condition`` true; the failure says what was seen last."""

        async def wait() -> None:
            while not condition():
                self.changed.clear()
                await self.changed.wait()

        try:
            await asyncio.wait_for(wait(), within)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {within} s; last: {self.summary()}") from None

    def summary(self) -> str:
        return "; ".join(f"{kind} {obj['metadata']['name']} {obj.get('status')}" for _, kind, obj in self.history[-4:])

    async def quiet(self, real_seconds: float) -> None:
        """Lets seconds of the real control plane pass, for what must not happen."""
        await self.plane.shared.pace.sleep(real_seconds)

    def last(self, kind: str, name: str | None = None) -> Obj | None:
        for event, found, obj in reversed(self.history):
            if found == kind and (name is None or obj["metadata"]["name"] == name):
                return None if event == "DELETED" else obj
        return None

    def all_of(self, kind: str) -> list[Obj]:
        found: dict[str, Obj] = {}
        for _, seen, obj in self.history:
            if seen == kind:
                found[obj["metadata"]["uid"]] = obj
        return list(found.values())

    async def create_vm(self, name: str = "vm1", **spec: Any) -> Obj:
        return await self.client.create(names.VM, vm(name, **spec))

    async def running_vm(self, name: str = "vm1", **spec: Any) -> Obj:
        created = await self.create_vm(name, **spec)
        await self.until(
            f"{name} is ready", lambda: bool((self.last("VirtualMachine", name) or {}).get("status", {}).get("ready"))
        )
        return created

    async def patch_vm(self, patch: list[Obj] | Obj, name: str = "vm1") -> Obj:
        return await self.client.patch(names.VM, name, NAMESPACE, patch)

    async def swap(self, nad: str, name: str = "vm1", index: int = 1) -> None:
        path = f"/spec/template/spec/networks/{index}/multus/networkName"
        await self.patch_vm([{"op": "replace", "path": path, "value": nad}], name)

    async def configure(self, spec: Obj) -> None:
        await self.client.patch(names.KUBEVIRT, "kubevirt", "kubevirt", {"spec": spec})

    def migrations(self) -> list[Obj]:
        return self.all_of("VirtualMachineInstanceMigration")

    def phases(self, obj: Obj) -> list[str]:
        return [entry["phase"] for entry in obj["status"].get("phaseTransitionTimestamps", [])]

    def events(self, reason: str | None = None) -> list[Obj]:
        return [e for e in self.all_of("Event") if reason is None or e["reason"] == reason]


@asynccontextmanager
async def running_lab(
    profile: str = "1.9", *, fault_points: FaultPoints | None = None, nodes: int = 2, speed: float = FAST, **agent: Any
) -> AsyncIterator[Lab]:
    server = ApiServer(ApiCore(registry_of(KUBERNETES, profile_for(profile))))
    await server.prepare()
    plane = await run_control_plane(server, profile_for(profile), Pace(speed), fault_points or FaultPoints())
    core, client = server.core, LocalClient(server.core, ADMIN)
    player = Agent(core, Pace(speed), **agent)
    lab = Lab(server, core, client, player, plane)
    await client.create(names.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    informers = [Informer(client, resource) for resource in RECORDED]
    for informer in informers:
        informer.on_change(lab.note)
    tasks = [asyncio.create_task(informer.run()) for informer in informers]
    for name in ("nad-a", "nad-b", "nad-c"):
        await client.create(names.NAD, nad(name))
    await player.start(nodes)
    try:
        yield lab
    finally:
        await player.stop()
        await plane.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.stop()


def nad(name: str) -> Obj:
    config = json.dumps({"cniVersion": "0.3.1", "type": "bridge", "bridge": "br1", "name": name})
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"config": config},
    }


def vm(
    name: str = "vm1",
    *,
    run_strategy: str = "Always",
    nads: tuple[str, ...] = ("nad-a",),
    nics: tuple[str, ...] = ("net1", "net2"),
    pod_network: str = "masquerade",
    multus_default: str = "",
    **more: Any,
) -> Obj:
    """``pod_network`` is the binding to it, "" for none; ``multus_default`` names the NIC that takes its place."""
    nets: list[Obj] = [{"name": "default", "pod": {}}] if pod_network else []
    cards: list[Obj] = [{"name": "default", pod_network: {}}] if pod_network else []
    for nic, network in zip(nics, nads, strict=False):
        multus = {"networkName": network} | ({"default": True} if nic == multus_default else {})
        nets.append({"name": nic, "multus": multus})
        cards.append({"name": nic, "bridge": {}})
    spec = {
        "architecture": "amd64",
        "domain": {
            "cpu": {"cores": 1, "sockets": 1, "threads": 1},
            "devices": {"disks": [{"name": "rootdisk", "disk": {"bus": "virtio"}}], "interfaces": cards},
            "memory": {"guest": "1Gi"},
        },
        "networks": nets,
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "rootdisk", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
        **more,
    }
    template = {"metadata": {"labels": {"kubevirt.io/domain": name}}, "spec": spec}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"runStrategy": run_strategy, "template": template},
    }


async def missing(lab: Lab, resource: str, name: str) -> bool:
    try:
        await lab.client.get(resource, name, NAMESPACE)
    except ApiError as error:
        return error.code == 404
    return False
