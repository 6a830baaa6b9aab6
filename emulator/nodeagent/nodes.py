# SPDX-License-Identifier: Apache-2.0
"""Registers the nodes and their virt-handler pods, and keeps their heartbeats."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import uuid
from dataclasses import dataclass

from ..fault_points import FaultPoints
from ..kube import conditions
from ..kube.client import Client, Obj
from ..kube.errors import ApiError
from ..kube.timestamps import timestamp
from . import pod_status
from .node_clients import NodeClients
from .retry_on_conflict import update_with_retry

log = logging.getLogger(__name__)

HEARTBEAT = 10.0
HANDLER_IMAGE = "quay.io/kubevirt/virt-handler:embedded"
CPU_MODEL = "Skylake-Client"
MACHINE_TYPES = ("q35", "pc-q35")
DEVICES = {"devices.kubevirt.io/kvm": "1k", "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k"}
BRIDGE_RESOURCE = "bridge.network.kubevirt.io"


@dataclass(frozen=True)
class NodeEndpoint:
    """A node's name, its address, and the ports of its virt-handler and its kubelet."""

    name: str
    address: str
    port: int
    kubelet_port: int


class NodeRegistry:
    """Creates or updates the Node and virt-handler Pod objects of this agent; the pods are in ``namespace``."""

    def __init__(
        self,
        kubelet: Client,
        handlers: NodeClients,
        endpoints: list[NodeEndpoint],
        namespace: str,
        fault_points: FaultPoints | None = None,
    ) -> None:
        self._kubelet = kubelet
        self._handlers = handlers
        self._endpoints = endpoints
        self._namespace = namespace
        self._fault_points = fault_points or FaultPoints()
        self._marked: dict[str, set[str]] = {}

    async def register(self) -> None:
        """Brings every node to Ready, with its virt-handler running."""
        await asyncio.gather(*(self._register(endpoint) for endpoint in self._endpoints))

    async def mark(self, node: str, bridges: set[str]) -> None:
        """Advertises a node's Linux bridges as resources, as bridge-marker does."""
        self._marked[node] = bridges
        for endpoint in self._endpoints:
            if endpoint.name == node:
                await self._beat(endpoint)

    async def keep_alive(self) -> None:
        """Renews the heartbeats until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            for endpoint in self._endpoints:
                try:
                    await self._beat(endpoint)
                except (ApiError, OSError) as error:
                    log.warning("heartbeat of %s: %s", endpoint.name, error)

    async def _register(self, endpoint: NodeEndpoint) -> None:
        node = await _create_if_absent(self._kubelet, "nodes", _node(endpoint))
        labels = _labels(endpoint.name)

        def relabel(fresh: Obj) -> None:
            fresh["metadata"].setdefault("labels", {}).update(labels)
            fresh["metadata"].setdefault("annotations", {})["kubevirt.io/heartbeat"] = timestamp()

        await update_with_retry(self._kubelet, "nodes", node, relabel)
        await update_with_retry(
            self._kubelet, "nodes", node, lambda n: self._set_status(n, endpoint), subresource="status"
        )
        pod = await self._handler_pod(endpoint)

        def running(fresh: Obj) -> None:
            pod_status.set_running(fresh, endpoint.address, (endpoint.address,))

        await update_with_retry(self._kubelet, "pods", pod, running, subresource="status")

    async def _handler_pod(self, endpoint: NodeEndpoint) -> Obj:
        """The pod of a former run stays, unless it names another port: that cannot be changed."""
        wanted = _handler_pod(endpoint, self._namespace)
        pod = await _create_if_absent(self._kubelet, "pods", wanted)
        if pod["spec"]["containers"][0].get("ports") == wanted["spec"]["containers"][0]["ports"]:
            return pod
        meta = pod["metadata"]
        await self._kubelet.delete("pods", meta["name"], meta["namespace"], uid=meta["uid"], grace=0)
        return await self._kubelet.create("pods", wanted)

    async def _write_status(self, endpoint: NodeEndpoint, node: Obj) -> None:
        await update_with_retry(
            self._kubelet, "nodes", node, lambda n: self._set_status(n, endpoint), subresource="status"
        )

    def _set_status(self, node: Obj, endpoint: NodeEndpoint) -> None:
        ready = self._fault_points.apply("agent.node_ready", True, node=endpoint.name)
        _set_status(node, endpoint, self._marks(endpoint.name), ready=ready)

    def _marks(self, node: str) -> dict[str, str]:
        return {f"{BRIDGE_RESOURCE}/{bridge}": "1k" for bridge in sorted(self._marked.get(node, ()))}

    async def _beat(self, endpoint: NodeEndpoint) -> None:
        patch = {"metadata": {"annotations": {"kubevirt.io/heartbeat": timestamp()}}}
        node = await self._handlers.of(endpoint.name).patch("nodes", endpoint.name, None, patch)
        await update_with_retry(
            self._kubelet, "nodes", node, lambda n: self._set_status(n, endpoint), subresource="status"
        )


async def _create_if_absent(client: Client, resource: str, obj: Obj) -> Obj:
    try:
        return await client.create(resource, obj)
    except ApiError as error:
        if error.code != 409:
            raise
    meta = obj["metadata"]
    return await client.get(resource, meta["name"], meta.get("namespace"))


def _labels(name: str) -> dict[str, str]:
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "node-role.kubernetes.io/worker": "",
        "kubevirt.io/schedulable": "true",
        "cpu-vendor.node.kubevirt.io/Intel": "true",
        f"cpu-model.node.kubevirt.io/{CPU_MODEL}": "true",
        f"cpu-model-migration.node.kubevirt.io/{CPU_MODEL}": "true",
        f"host-model-cpu.node.kubevirt.io/{CPU_MODEL}": "true",
        **{f"machine-type.node.kubevirt.io/{kind}": "true" for kind in MACHINE_TYPES},
    }


def _node(endpoint: NodeEndpoint) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": endpoint.name,
            "labels": _labels(endpoint.name),
            "annotations": {"kubevirt.io/heartbeat": timestamp(), "kubevirt.io/ksm-handler-managed": "false"}
            | _ovn_annotations(endpoint.name),
        },
        "spec": {},
    }


def _ovn_annotations(name: str) -> dict[str, str]:
    """The annotations of OVN-Kubernetes on its nodes; other components detect it by the first one."""
    return {
        "k8s.ovn.org/node-chassis-id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "k8s.ovn.org/zone-name": name,
    }


def _set_status(node: Obj, endpoint: NodeEndpoint, marks: dict[str, str], *, ready: bool = True) -> None:
    status = node.setdefault("status", {})
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    # The guests are processes that share the machine, so a node offers far more than the machine has.
    resources = {"cpu": "64", "memory": f"{max(memory, 256 << 20)}Ki", "ephemeral-storage": "1Ti", "pods": "250"}
    status["capacity"] = resources | DEVICES | marks
    status["allocatable"] = resources | DEVICES | marks
    status["addresses"] = [
        {"type": "InternalIP", "address": endpoint.address},
        {"type": "Hostname", "address": endpoint.name},
    ]
    status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": endpoint.kubelet_port}}
    status["nodeInfo"] = {
        "architecture": "amd64",
        "bootID": "",
        "containerRuntimeVersion": "embedded://1",
        "kernelVersion": platform.release(),
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.36.0+embedded",
        "machineID": "",
        "operatingSystem": "linux",
        "osImage": "Embedded cluster (no real machine)",
        "systemUUID": "",
    }
    for kind, reason, message in (
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ):
        conditions.update(node, kind, "False", reason=reason, message=message)
    if ready:
        conditions.update(node, "Ready", "True", reason="KubeletReady", message="kubelet is posting ready status")
    else:
        conditions.update(node, "Ready", "False", reason="KubeletNotReady", message="container runtime is down")
    for condition in status["conditions"]:
        condition.pop("lastProbeTime", None)
        condition["lastHeartbeatTime"] = timestamp()


def _handler_pod(endpoint: NodeEndpoint, namespace: str) -> Obj:
    name = f"virt-handler-{pod_status.hash_of(endpoint.name)[:5]}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"kubevirt.io": "virt-handler", "app.kubernetes.io/component": "kubevirt"},
        },
        "spec": {
            "nodeName": endpoint.name,
            "hostNetwork": False,
            "serviceAccountName": "kubevirt-handler",
            "restartPolicy": "Always",
            "containers": [
                {
                    "name": "virt-handler",
                    "image": HANDLER_IMAGE,
                    "ports": [{"name": "console", "containerPort": endpoint.port, "protocol": "TCP"}],
                }
            ],
        },
    }
