# SPDX-License-Identifier: Apache-2.0
"""Multus' Dynamic Networks Controller: attaches running pods to the networks of their annotation, and detaches them."""

from __future__ import annotations

from ..dataplane.errors import DataPlaneError
from ..kube.client import Client, Obj
from ..kube.events import EventRecorder
from ..kube.informer import Informer, Key, key_of
from . import cni
from .cni import Attachment
from .context import AgentContext
from .kubelet import Kubelet
from .queues import node_queue
from .sandboxes import Sandbox

COMPONENT = "pod-networks-updates"
DELEGATE = 1.0


class DynamicNetworks:
    """Follows the networks annotation of pods that have a sandbox."""

    def __init__(self, client: Client, pods: Informer, kubelet: Kubelet, context: AgentContext) -> None:
        self._client = client
        self._pods = pods
        self._kubelet = kubelet
        self._dataplane = context.dataplane
        self._pace = context.pace
        self._events = EventRecorder(client, COMPONENT)
        self.queue = node_queue("networks of pod", self._sync)
        pods.on_change(self._changed)

    def _changed(self, _event: str, new: Obj, old: Obj | None) -> None:
        if old is not None and _request(new) != _request(old):
            self.queue.add(key_of(new))

    async def _sync(self, key: Key) -> None:
        pod = self._pods.cache.get(key)
        sandbox = self._kubelet.sandboxes.get(pod["metadata"]["uid"]) if pod else None
        if pod is None or sandbox is None or sandbox.exit_code is not None or "deletionTimestamp" in pod["metadata"]:
            return
        try:
            wanted = await cni.resolve(self._client, pod)
        except (cni.NetworkNotFound, cni.NetworkRefused) as error:
            await self._events.warning(pod, "FailedAddingInterface", f"{_pod(pod)}: {error}")
            return
        await self._pace.sleep(DELEGATE)
        has = {_identity(attachment) for attachment in sandbox.attachments}
        for attachment in wanted:
            if _identity(attachment) not in has:
                await self._add(pod, sandbox, attachment)
        for attachment in [one for one in sandbox.attachments if _identity(one) not in map(_identity, wanted)]:
            await self._remove(pod, sandbox, attachment)
        await self._kubelet.report_networks(pod, sandbox)

    async def _add(self, pod: Obj, sandbox: Sandbox, attachment: Attachment) -> None:
        name = attachment.interface
        where = f"{_pod(pod)}: %s interface {name} to network: {attachment.name}"
        try:
            plugged = await self._dataplane.attach(sandbox.uid, name, attachment.segment, attachment.mac or None)
        except (DataPlaneError, OSError):
            # The roll-back of a failed ADD is a DEL, which identifies the interface by name, whatever its network.
            await self._detach(sandbox, name)
            await self._events.warning(pod, "FailedAddingInterface", where % "failed adding")
            return
        sandbox.attachments.append(attachment)
        sandbox.interfaces[name] = plugged
        await self._events.normal(pod, "AddedInterface", f"{where % 'added'}(mac: {plugged.mac})")

    async def _remove(self, pod: Obj, sandbox: Sandbox, attachment: Attachment) -> None:
        name = attachment.interface
        await self._detach(sandbox, name)
        message = f"{_pod(pod)}: removed interface {name} from network: {attachment.name}"
        await self._events.normal(pod, "RemovedInterface", message)

    async def _detach(self, sandbox: Sandbox, interface: str) -> None:
        sandbox.attachments[:] = [one for one in sandbox.attachments if one.interface != interface]
        if sandbox.interfaces.pop(interface, None):
            await self._dataplane.detach(sandbox.uid, interface)


def _request(pod: Obj) -> str:
    return str(pod["metadata"].get("annotations", {}).get(cni.NETWORKS, ""))


def _identity(attachment: Attachment) -> tuple[str, str, str]:
    return attachment.namespace, attachment.name, attachment.interface


def _pod(pod: Obj) -> str:
    return f"pod [{pod['metadata']['namespace']}/{pod['metadata']['name']}]"
