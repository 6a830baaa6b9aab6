# SPDX-License-Identifier: Apache-2.0
"""A node agent on the embedded API server, with a scripted control plane in place of ours."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.fault_points import Defect, FaultPoints
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.nodeagent.agent import Identities, NodeAgent
from emulator.pace import Pace
from emulator.platforms.platform import KUBERNETES, Platform

from .fake_dataplane import FakeDataPlane

VMIS = "virtualmachineinstances.kubevirt.io"
NADS = "network-attachment-definitions.k8s.cni.cncf.io"
NIC = "net1"
MAC = "02:aa:00:00:00:01"


def pod_interface(network: str) -> str:
    return "pod" + hashlib.sha256(network.encode()).hexdigest()[:11]


@dataclass
class Script:
    """Plays the scheduler and virt-controller, by hand; waits on what the agent writes."""

    client: LocalClient
    dataplane: FakeDataPlane
    namespace: str = "demo"
    vmi_history: list[Obj] = field(default_factory=list)

    async def until(self, resource: str, name: str, good: Callable[[Any], object], seconds: float = 20) -> Any:
        """The object (None when it is gone) as soon as it is good; AssertionError with the last one seen."""
        seen: Obj | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        seen = await self.client.get(resource, name, self.namespace)
                    except ApiError as error:
                        assert error.code == 404
                        seen = None
                    if good(seen) and self._is_recorded(resource, seen):
                        return seen
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{resource} {name} did not get there: {json.dumps(seen, indent=1)}") from None

    def _is_recorded(self, resource: str, seen: Obj | None) -> bool:
        """Whether the history, which a watch feeds a moment later, has got as far as what was read."""
        if resource != VMIS or seen is None or not self.vmi_history:
            return True
        return any(
            int(old["metadata"]["resourceVersion"]) >= int(seen["metadata"]["resourceVersion"])
            for old in reversed(self.vmi_history)
        )

    async def nad(self, name: str, bridge: str = "br1", vlan: int = 100, namespace: str = "") -> None:
        config = json.dumps({"cniVersion": "0.3.1", "type": "bridge", "bridge": bridge, "vlan": vlan})
        meta = {"name": name, "namespace": namespace or self.namespace}
        nad = {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": meta,
            "spec": {"config": config},
        }
        await self.client.create(NADS, nad)

    async def pod(self, name: str, node: str, vmi: Obj, nad: str, **labels: str) -> Obj:
        """A launcher pod, already bound to its node; ``nad`` may name a namespace, too."""
        space, _, nad = nad.rpartition("/")
        networks = [{"name": nad, "namespace": space or self.namespace, "interface": pod_interface(NIC), "mac": MAC}]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": {"kubevirt.io/created-by": vmi["metadata"]["uid"], **labels},
                "annotations": {"k8s.v1.cni.cncf.io/networks": json.dumps(networks)},
            },
            "spec": {
                "nodeName": node,
                "containers": [{"name": "compute", "image": "quay.io/kubevirt/virt-launcher:embedded"}],
                "readinessGates": [{"conditionType": "kubevirt.io/virtual-machine-unpaused"}],
            },
        }
        return await self.client.create("pods", pod)

    async def vmi(self, name: str = "vm1", **spec: Any) -> Obj:
        vmi = {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": {"name": name, "namespace": self.namespace, "finalizers": ["kubevirt.io/test"]},
            "spec": {
                "domain": {
                    "devices": {
                        "interfaces": [
                            {"name": "default", "masquerade": {}},
                            {"name": NIC, "bridge": {}, "macAddress": MAC},
                        ]
                    },
                    "firmware": {"uuid": "6fa9c5ab-fe7c-4cfb-842b-098e92eeeda7"},
                    "machine": {"type": "q35"},
                    "resources": {},
                },
                "networks": [
                    {"name": "default", "pod": {}},
                    {"name": NIC, "multus": {"networkName": "nad-a"}},
                ],
                "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
                **spec,
            },
            "status": {"phase": "Scheduling"},
        }
        return await self.client.create(VMIS, vmi)

    async def patch_vmi(self, name: str, status: Obj, labels: Obj | None = None) -> Obj:
        patch = {"status": status} | ({"metadata": {"labels": labels}} if labels else {})
        return await self.client.patch(VMIS, name, self.namespace, patch)

    async def running(self, name: str = "vm1", **spec: Any) -> Obj:
        """A VMI with its pod, brought to Running on the first node."""
        vmi = await self.vmi(name, **spec)
        pod = await self.pod(f"launcher-{name}", "node-1", vmi, "nad-a")
        await self.until("pods", f"launcher-{name}", lambda p: p and p["status"].get("phase") == "Running")
        status = {
            "phase": "Scheduled",
            "nodeName": "node-1",
            "activePods": {pod["metadata"]["uid"]: "node-1"},
            "interfaces": [
                {"name": "default", "podInterfaceName": "eth0"},
                {"name": NIC, "podInterfaceName": pod_interface(NIC), "infoSource": "multus-status"},
            ],
        }
        await self.patch_vmi(name, status, {"kubevirt.io/nodeName": "node-1"})
        running = await self.until(VMIS, name, lambda v: v and has(v, "AgentConnected"))
        return dict(running)

    async def hand_over(self, vmi: Obj, uid: str = "job-1") -> None:
        """A target pod on the second node, and the hand-off as virt-controller writes it."""
        name = vmi["metadata"]["name"]
        target = await self.pod(f"target-{name}", "node-2", vmi, "nad-b", **{"kubevirt.io/migrationJobUID": uid})
        await self.until("pods", f"target-{name}", lambda p: p and p["status"].get("phase") == "Running")
        state = {
            "migrationUid": uid,
            "sourceNode": "node-1",
            "targetNode": "node-2",
            "sourcePod": f"launcher-{name}",
            "targetPod": f"target-{name}",
        }
        status = {"migrationState": state, "activePods": {target["metadata"]["uid"]: "node-2"}}
        await self.patch_vmi(name, status, {"kubevirt.io/migrationTargetNodeName": "node-2"})

    async def events(self, name: str) -> list[str]:
        """``reason: message`` of an object's events, in the order in which they were written."""
        listed, _ = await self.client.list("events", self.namespace)
        mine = [e for e in listed if e["involvedObject"]["name"] == name]
        mine.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [f"{event['reason']}: {event['message']}" for event in mine]

    async def until_event(self, name: str, reason: str) -> list[str]:
        """All events of an object, as soon as one with this reason is among them."""
        async with asyncio.timeout(5):
            while True:
                events = await self.events(name)
                if any(event.startswith(f"{reason}: ") for event in events):
                    return events
                await asyncio.sleep(0.01)


def has(obj: Obj, condition: str) -> bool:
    return any(c["type"] == condition and c["status"] == "True" for c in obj["status"].get("conditions", []))


@contextlib.asynccontextmanager
async def agent_script(
    defects: Iterable[Defect] = (),
    speed: float = 200,
    tls: ssl.SSLContext | None = None,
    platform: Platform = KUBERNETES,
    *,
    dynamic_networks: bool = False,
) -> AsyncIterator[Script]:
    core = ApiCore(default_registry())
    admin = LocalClient(core, ADMIN)
    dataplane = FakeDataPlane()
    agent = NodeAgent(
        identities=Identities(admin, admin, admin),
        dataplane=dataplane,
        nodes=["node-1", "node-2"],
        pace=Pace(speed),
        fault_points=FaultPoints(defects),
        dynamic_networks=dynamic_networks,
        tls=tls,
        platform=platform,
    )
    for name in ("demo", platform.kubevirt_namespace):
        await admin.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    ready = asyncio.Event()
    script = Script(admin, dataplane)
    running = asyncio.create_task(agent.run(ready.set))
    recording = asyncio.create_task(_record(admin, script.vmi_history))
    try:
        async with asyncio.timeout(5):
            await ready.wait()
        yield script
    finally:
        for task in (running, recording):
            task.cancel()
        ended = await asyncio.gather(running, recording, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def _record(client: LocalClient, history: list[Obj]) -> None:
    _, version = await client.list(VMIS)
    async for _event, obj in client.watch(VMIS, since=version):
        history.append(obj)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with agent_script() as running:
        await running.nad("nad-a", vlan=100)
        await running.nad("nad-b", vlan=200)
        yield running
