# SPDX-License-Identifier: Apache-2.0
"""The scheduler's loop."""

from __future__ import annotations

import time
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import is_deleting, pod_is_down
from emulator.controlplane.context import Shared
from emulator.controlplane.scheduling.predicates import failure_message, objection, preference
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.events import reference
from emulator.kube.informer import Key
from emulator.kube.timestamps import now
from emulator.kube.workqueue import WorkQueue

Obj = dict[str, Any]
USER = "system:kube-scheduler"
NAME = "default-scheduler"


class Scheduler:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.client = shared.client_for(USER)
        self.queue = WorkQueue("scheduler", self.sync)
        shared.pods.on_change(self._on_pod)
        shared.nodes.on_change(self._on_node)

    def _on_pod(self, event: str, new: Obj, old: Obj | None) -> None:
        if event == "ADDED" and _is_waiting(new):
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))
        elif event == "DELETED" or pod_is_down(new):
            self._retry_all()

    def _on_node(self, event: str, new: Obj, old: Obj | None) -> None:
        if old is None or any(before != after for before, after in zip(_facts(old), _facts(new), strict=True)):
            self._retry_all()

    def _retry_all(self) -> None:
        for pod in self.shared.pods.all(where=_is_waiting):
            self.queue.add((pod["metadata"]["namespace"], pod["metadata"]["name"]))

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        pod = self.shared.pods.get(*key)
        if pod is None or not _is_waiting(pod):
            return
        nodes = list(self.shared.nodes.all())
        pods = list(self.shared.pods.all())
        objections = {node["metadata"]["name"]: objection(pod, node, pods) for node in nodes}
        fitting = [node for node in nodes if not objections[node["metadata"]["name"]]]
        if fitting:
            await self._bind(pod, min(fitting, key=lambda node: (-preference(pod, node), _load(node, pods))))
        else:
            await self._refuse(pod, failure_message(list(objections.values())))

    async def _bind(self, pod: Obj, node: Obj) -> None:
        name = node["metadata"]["name"]
        condition = _condition(pod, "True")
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": pod["metadata"]["uid"]},
            {"op": "add", "path": "/spec/nodeName", "value": name},
        ]
        meta = pod["metadata"]
        bound = await self.client.patch(names.PODS, meta["name"], meta["namespace"], patch)
        status = {"status": {"conditions": _with(bound, condition)}}
        bound = await self.client.patch(names.PODS, meta["name"], meta["namespace"], status, subresource="status")
        await self.shared.pods.catch_up(bound)
        where = f"{meta['namespace']}/{meta['name']}"
        await self._event(pod, "Normal", "Scheduled", f"Successfully assigned {where} to {name}", "Binding")

    async def _refuse(self, pod: Obj, message: str) -> None:
        known = conditions.find(pod, "PodScheduled")
        await self._event(pod, "Warning", "FailedScheduling", message, "Scheduling")
        if known is not None and known.get("message") == message:
            return
        condition = _condition(pod, "False") | {"reason": "Unschedulable", "message": message}
        meta = pod["metadata"]
        patch = {"status": {"phase": "Pending", "conditions": _with(pod, condition)}}
        written = await self.client.patch(names.PODS, meta["name"], meta["namespace"], patch, subresource="status")
        await self.shared.pods.catch_up(written)

    async def _event(self, pod: Obj, kind: str, reason: str, message: str, action: str) -> None:
        """The scheduler uses the newer events API: no count, and a timestamp in microseconds."""
        made = now()
        meta = pod["metadata"]
        event = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": f"{meta['name']}.{time.time_ns():x}", "namespace": meta["namespace"]},
            "involvedObject": reference(pod),
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": kind,
            "eventTime": made.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "action": action,
            "reportingComponent": NAME,
            "reportingInstance": f"{NAME}-embedded",
        }
        try:
            await self.client.create(names.EVENTS, event)
        except ApiError:
            return


def _is_waiting(pod: Obj) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", NAME) == NAME
    return ours and not spec.get("nodeName") and not is_deleting(pod) and not pod_is_down(pod)


def _load(node: Obj, pods: list[Obj]) -> tuple[int, str]:
    name = node["metadata"]["name"]
    return sum(p["spec"].get("nodeName") == name and not pod_is_down(p) for p in pods), name


def _facts(node: Obj) -> tuple[Any, ...]:
    offered = node.get("status", {}).get("allocatable")
    return node.get("spec"), node["metadata"].get("labels"), conditions.is_true(node, "Ready"), offered


def _condition(pod: Obj, status: str) -> Obj:
    made = conditions.new("PodScheduled", status)
    # As the real scheduler: only what it could not do tells of the generation.
    seen = {"observedGeneration": pod["metadata"].get("generation", 1)} if status == "False" else {}
    return {"type": "PodScheduled", **seen, **made}


def _with(pod: Obj, condition: Obj) -> list[Obj]:
    others = [c for c in pod.get("status", {}).get("conditions") or [] if c["type"] != condition["type"]]
    return [*others, condition]
