# SPDX-License-Identifier: Apache-2.0
"""virt-controller's pods: two if there are two nodes; the first one is the leader."""

from __future__ import annotations

import hashlib

from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, annotations_of, is_deleting, labels_of, owner_reference
from emulator.controlplane.cluster.workloads import COMPONENT, adopt, ensure
from emulator.controlplane.context import Shared
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.timestamps import timestamp
from emulator.kube.workqueue import WorkQueue

VIRT_CONTROLLER = "virt-controller"
VIRT_HANDLER = "virt-handler"
REPLICA_SET = f"{VIRT_CONTROLLER}-5d8b9c7f6"
NUMBER = "embedded/replica"
METRICS_PORT = 8443
LEASES = "leases.coordination.k8s.io"
REPLICAS = 2
_ALL: Key = ("", "all")


class ComponentPods:
    """Creates the pods as soon as there are nodes for them, and again on another node after they were evicted. They are
    only objects: this process does their work. The virt-handler pods, which the nodes make, are its DaemonSet's.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.queue = WorkQueue("components", self.sync)
        self.client = shared.client_for(shared.platform.service_account(names.OPERATOR_USER))
        shared.nodes.on_change(lambda event, _new, _old: self.queue.add(_ALL) if event == "ADDED" else None)
        shared.pods.on_change(self._on_pod)

    def _on_pod(self, event: str, new: Obj, old: Obj | None) -> None:
        component = labels_of(new).get(COMPONENT)
        ended = component == VIRT_CONTROLLER and (event == "DELETED" or is_deleting(new))
        if ended or (component == VIRT_HANDLER and event == "ADDED"):
            self.queue.add(_ALL)

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, _key: Key) -> None:
        home = self.shared.platform.kubevirt_namespace
        for pod in virt_controllers(self.shared):
            if is_deleting(pod):
                await self._end(pod)
        owner = await ensure(self.client, "ReplicaSet", REPLICA_SET, home, component=VIRT_CONTROLLER)
        pods = [pod for pod in virt_controllers(self.shared) if not is_deleting(pod)]
        taken = {pod["spec"]["nodeName"] for pod in pods}
        open_nodes = [n for n in self.shared.nodes.all() if not n.get("spec", {}).get("unschedulable")]
        free = sorted(node["metadata"]["name"] for node in open_nodes if node["metadata"]["name"] not in taken)
        numbers = iter(sorted(set(range(len(pods) + REPLICAS)) - {number_of(pod) for pod in pods}))
        for node in free[: REPLICAS - len(pods)]:
            await self._create(_pod(next(numbers), node, home, owner))
        handlers = self.shared.pods.all(where=lambda pod: labels_of(pod).get(COMPONENT) == VIRT_HANDLER)
        for pod in list(handlers):
            daemons = await ensure(self.client, "DaemonSet", VIRT_HANDLER, home, component=VIRT_HANDLER)
            await adopt(self.shared, self.client, pod, daemons)

    async def _end(self, pod: Obj) -> None:
        """As the node's kubelet, which leaves this pod to us."""
        meta = pod["metadata"]
        try:
            await self.client.delete(names.PODS, meta["name"], meta["namespace"], uid=meta["uid"], grace=0)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def _create(self, pod: Obj) -> None:
        meta = pod["metadata"]
        try:
            await self.client.create(names.PODS, pod)
        except ApiError as error:
            if error.code != 409:
                raise
        status = {"status": _running(pod, f"10.244.255.{number_of(pod) + 1}")}
        written = await self.client.patch(names.PODS, meta["name"], meta["namespace"], status, subresource="status")
        await self.shared.pods.catch_up(written)
        await self._lead(meta["namespace"])

    async def _lead(self, namespace: str) -> None:
        """The first one holds the lease."""
        leader = virt_controllers(self.shared)[0]["metadata"]["name"]
        try:
            await self.client.create(LEASES, _lease(leader, namespace))
        except ApiError as error:
            if error.code != 409:
                raise
            await self.client.patch(LEASES, VIRT_CONTROLLER, namespace, {"spec": {"holderIdentity": leader}})


def number_of(pod: Obj) -> int:
    return int(annotations_of(pod)[NUMBER])


def virt_controllers(shared: Shared) -> list[Obj]:
    """The pods of virt-controller, the leader first."""
    found = shared.pods.all(where=lambda pod: (pod["metadata"].get("labels") or {}).get(COMPONENT) == VIRT_CONTROLLER)
    return sorted(found, key=lambda pod: str(pod["status"].get("podIP")))


def _pod(number: int, node: str, namespace: str, owner: Obj) -> Obj:
    """Named as a Deployment names pods, but with the same names in every cluster."""
    tail = hashlib.sha256(f"{VIRT_CONTROLLER}/{number}".encode()).hexdigest()[:5]
    name = f"{REPLICA_SET}-{tail}"
    labels = {
        COMPONENT: VIRT_CONTROLLER,
        "app.kubernetes.io/component": "kubevirt",
        "prometheus.kubevirt.io": "true",
    }
    container = {
        "name": VIRT_CONTROLLER,
        "image": "quay.io/kubevirt/virt-controller:embedded",
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {NUMBER: str(number)},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {
            "nodeName": node,
            "serviceAccountName": names.CONTROLLER_USER,
            "restartPolicy": "Always",
            "containers": [container],
        },
    }


def _running(pod: Obj, address: str) -> Obj:
    now = timestamp()
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    container = pod["spec"]["containers"][0]
    state = {"name": container["name"], "image": container["image"], "imageID": "", "ready": True, "restartCount": 0}
    return {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": now} for kind in kinds
        ],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": now,
        "containerStatuses": [state | {"started": True, "state": {"running": {"startedAt": now}}}],
    }


def _lease(holder: str, namespace: str) -> Obj:
    meta = {"name": VIRT_CONTROLLER, "namespace": namespace}
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
