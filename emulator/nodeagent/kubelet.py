# SPDX-License-Identifier: Apache-2.0
"""The kubelet: creates a sandbox with networks for the pods of its nodes, updates their status, and removes them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from ..dataplane.errors import DataPlaneError
from ..dataplane.model import DataPlane, PodInterface
from ..kube.client import Client, Obj
from ..kube.errors import ApiError
from ..kube.events import EventRecorder
from ..kube.informer import Informer, Key, key_of
from . import cni, ovn, pod_status
from .context import AgentContext
from .logs import PodLogs
from .queues import node_queue
from .retry_on_conflict import update_with_retry
from .sandboxes import Sandbox

log = logging.getLogger(__name__)

IMAGES_AND_SANDBOX = 2.0
CONTAINERS_START = 0.5
SANDBOX_RETRY = 10.0
COMPONENTS = ("virt-handler", "virt-controller")
DELEGATES = "error loading k8s delegates k8s args: TryLoadPodDelegates: error in getting k8s network for pod"

PodGone = Callable[[DataPlane], Awaitable[None]]
StopWorkload = Callable[[str, float], Awaitable[None]]


class Kubelet:
    """All pods on the agent's nodes. ``sandboxes`` are the existing ones, by pod UID.

    ``client`` also reads what the nodes mount for pods: secrets and claims.
    """

    def __init__(self, client: Client, multus: Client, pods: Informer, context: AgentContext) -> None:
        self.client = client
        self._multus = multus
        self._pods = pods
        self._dataplane = context.dataplane
        self._nodes = context.nodes
        self._pace = context.pace
        self._fault_points = context.fault_points
        self._platform = context.platform
        self._events = EventRecorder(client, "kubelet")
        self._multus_events = EventRecorder(multus, "multus")
        self._watchers: list[Callable[[Sandbox], None]] = []
        self._removal_watchers: list[Callable[[], None]] = []
        self._stop_workload: StopWorkload | None = None
        self._given_up: set[str] = set()
        self.sandboxes: dict[str, Sandbox] = {}
        self.queue = node_queue("pod", self._sync)
        self.logs = PodLogs()
        pods.on_change(self._changed)

    def _changed(self, event: str, new: Obj, _old: Obj | None) -> None:
        if event == "DELETED":
            self.logs.forget(new["metadata"]["uid"])
        self.queue.add(key_of(new))

    def pod(self, key: Key) -> Obj | None:
        """The pod in the informer's cache."""
        return self._pods.cache.get(key)

    def on_sandbox(self, watcher: Callable[[Sandbox], None]) -> None:
        """Calls ``watcher`` for each sandbox once its interfaces are up."""
        self._watchers.append(watcher)

    def on_sandbox_gone(self, watcher: Callable[[], None]) -> None:
        """Calls ``watcher`` whenever a sandbox has been removed."""
        self._removal_watchers.append(watcher)

    def stops_workloads_with(self, stop: StopWorkload) -> None:
        """Sets ``stop(pod uid, grace in seconds)``: how a terminating pod's main process reacts to SIGTERM."""
        self._stop_workload = stop

    def workload_ended(self, pod_uid: str, exit_code: int) -> None:
        """The pod's main process has ended by itself."""
        sandbox = self.sandboxes.get(pod_uid)
        if sandbox and sandbox.exit_code is None:
            sandbox.exit_code = exit_code
            self.queue.add(sandbox.key)

    async def _sync(self, key: Key) -> None:
        pod = self._pods.cache.get(key)
        for sandbox in [s for s in self.sandboxes.values() if s.key == key]:
            if pod is None or pod["metadata"]["uid"] != sandbox.uid:
                await self._remove(sandbox, 0)
        if pod is None or not self._is_ours(pod):
            return
        sandbox_now = self.sandboxes.get(pod["metadata"]["uid"])
        if "deletionTimestamp" in pod["metadata"]:
            await self._terminate(pod, sandbox_now)
        elif pod["status"].get("phase") in ("Succeeded", "Failed"):
            if sandbox_now:
                await self._remove(sandbox_now, 0)
        elif sandbox_now is None:
            if pod["metadata"]["uid"] not in self._given_up:
                await self._start(pod)
        elif sandbox_now.exit_code is not None:
            code = sandbox_now.exit_code
            await self._remove(sandbox_now, 0)
            await self._write_status(pod, lambda p: pod_status.set_finished(p, code))
        else:
            await self._write_running(pod, sandbox_now)

    def _is_ours(self, pod: Obj) -> bool:
        labels = pod["metadata"].get("labels", {})
        return pod["spec"].get("nodeName") in self._nodes and labels.get("kubevirt.io") not in COMPONENTS

    async def _start(self, pod: Obj) -> None:
        await self._pace.sleep(IMAGES_AND_SANDBOX)
        if pull_error := self._fault_points.apply("agent.image_pull_error", "", pod=pod):
            host = pod["spec"]["nodeName"]
            why = "ImagePullBackOff"
            await self._write_status(pod, lambda fresh: pod_status.set_waiting(fresh, self._nodes[host], why))
            await self._events.warning(pod, "Failed", f"Failed to pull image: {pull_error}", host=host)
            return
        try:
            attachments = await cni.resolve(self._multus, pod, self._platform.open_namespaces)
        except cni.NetworkNotFound as error:
            await self._multus_events.warning(pod, "NoNetworkFound", str(error))
            await self._sandbox_failed(pod, f"{DELEGATES}: getKubernetesDelegate: {error}")
            return
        except cni.NetworkRefused as error:
            await self._sandbox_failed(pod, f"{DELEGATES}: {error}")
            return
        except cni.NetworkUnready as error:
            await self._sandbox_failed(pod, str(error))
            return
        attachments = self._fault_points.apply(
            "agent.pod_attachments", attachments, pod=pod, siblings=self._siblings(pod)
        )
        try:
            sandbox = await self._build(pod, attachments)
        except (DataPlaneError, OSError) as error:
            log.warning("sandbox of %s: %s", key_of(pod), error)
            await self._dataplane.remove_pod(pod["metadata"]["uid"])
            await self._sandbox_failed(pod, str(error))
            return
        self.sandboxes[sandbox.uid] = sandbox
        await self.report_networks(pod, sandbox)
        await self._pace.sleep(CONTAINERS_START)
        for watcher in self._watchers:
            watcher(sandbox)
        self.queue.add(sandbox.key)

    def _siblings(self, pod: Obj) -> list[Sandbox]:
        """The other pods of the same VMI, oldest first: the possible sources of a live migration."""
        owner = pod["metadata"].get("labels", {}).get("kubevirt.io/created-by")
        return [
            sandbox
            for sandbox in self.sandboxes.values()
            if owner
            and (other := self._pods.cache.get(sandbox.key))
            and other["metadata"].get("labels", {}).get("kubevirt.io/created-by") == owner
        ]

    async def _build(self, pod: Obj, attachments: list[cni.Attachment]) -> Sandbox:
        uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
        primary = await self._dataplane.add_pod(uid, node)
        sandbox = Sandbox(uid, key_of(pod), node, primary, attachments)
        await self._added(pod, primary, "k8s-pod-network")
        for attachment in attachments:
            plugged = await self._dataplane.attach(
                uid, attachment.interface, attachment.segment, attachment.mac or None
            )
            sandbox.interfaces[attachment.interface] = plugged
            await self._added(pod, plugged, f"{attachment.namespace}/{attachment.name}")
        return sandbox

    async def _added(self, pod: Obj, interface: PodInterface, network: str) -> None:
        addresses = " ".join(interface.ips)
        message = f"Add {interface.name} [{addresses}] from {network}"
        await self._multus_events.normal(pod, "AddedInterface", message)

    async def report_networks(self, pod: Obj, sandbox: Sandbox) -> None:
        """Writes the pod's network-status annotation."""
        entries = cni.status_entries(sandbox.primary, sandbox.attachments, sandbox.interfaces)
        entries = self._fault_points.apply("agent.network_status", entries, pod=pod)
        annotations = {cni.NETWORK_STATUS: cni.status_text(entries)} | _ovn_annotation(sandbox)

        def reported(fresh: Obj) -> None:
            fresh["metadata"].setdefault("annotations", {}).update(annotations)

        # Multus may update pods and their status, and not patch them.
        await update_with_retry(self._multus, "pods", pod, reported, subresource="status")

    async def _sandbox_failed(self, pod: Obj, why: str) -> None:
        meta = pod["metadata"]
        place = f"{meta['namespace']}/{meta['name']}"
        message = (
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create pod network sandbox: "
            f"[{place}]: error adding pod to network: Multus: [{place}/{meta['uid']}]: {why}"
        )
        host = pod["spec"]["nodeName"]
        await self._write_status(pod, lambda fresh: pod_status.set_waiting(fresh, self._nodes[host]))
        await self._events.warning(pod, "FailedCreatePodSandBox", message, host=host)
        if self._fault_points.apply("agent.sandbox_retry", True, pod=pod):
            self.queue.add_after(key_of(pod), self._pace.seconds(SANDBOX_RETRY))
        else:
            self._given_up.add(pod["metadata"]["uid"])

    async def _write_running(self, pod: Obj, sandbox: Sandbox) -> None:
        def running(fresh: Obj) -> None:
            if fresh["status"].get("phase") not in ("Succeeded", "Failed"):
                pod_status.set_running(fresh, self._nodes[sandbox.node], sandbox.primary.ips)

        await self._write_status(pod, running)

    async def _write_status(self, pod: Obj, mutate: Callable[[Obj], None]) -> None:
        await update_with_retry(self.client, "pods", pod, mutate, subresource="status")

    async def _terminate(self, pod: Obj, sandbox: Sandbox | None) -> None:
        meta = pod["metadata"]
        if sandbox:
            await self._remove(sandbox, self._pace.seconds(meta.get("deletionGracePeriodSeconds", 30)))
        nothing: list[PodGone] = []
        for action in self._fault_points.apply(
            "agent.after_pod_removal", nothing, pod=pod, siblings=self._siblings(pod)
        ):
            await action(self._dataplane)
        if pod["status"].get("phase") not in ("Succeeded", "Failed"):
            code = sandbox.exit_code if sandbox and sandbox.exit_code else 0
            await self._write_status(pod, lambda p: pod_status.set_finished(p, code))
        try:
            await self.client.delete("pods", meta["name"], meta["namespace"], uid=meta["uid"], grace=0)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def _remove(self, sandbox: Sandbox, grace: float) -> None:
        if self._stop_workload:
            await self._stop_workload(sandbox.uid, grace)
        await self._dataplane.remove_pod(sandbox.uid)
        self.sandboxes.pop(sandbox.uid, None)
        for watcher in self._removal_watchers:
            watcher()


def _ovn_annotation(sandbox: Sandbox) -> dict[str, str]:
    """OVN-Kubernetes finds the pods of a network by this annotation."""
    plugged = {
        f"{attachment.namespace}/{attachment.name}": sandbox.interfaces[attachment.interface]
        for attachment in sandbox.attachments
        if attachment.plugin == ovn.PLUGIN
    }
    return {ovn.POD_NETWORKS: ovn.pod_networks(plugged)} if plugged else {}
