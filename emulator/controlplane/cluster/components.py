"""virt-controller's pods: two if there are two nodes; the first one is the leader."""

from __future__ import annotations

import hashlib

from emulator.controlplane import names
from emulator.controlplane.accessors import Obj
from emulator.controlplane.context import Shared
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.timestamps import timestamp
from emulator.kube.workqueue import WorkQueue

COMPONENT = "kubevirt.io"
VIRT_CONTROLLER = "virt-controller"
METRICS_PORT = 8443
LEASES = "leases.coordination.k8s.io"
REPLICAS = 2
_ALL: Key = ("", "all")


class ComponentPods:
    """Creates the pods as soon as there are nodes for them. They are only objects: this process does their work."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.queue = WorkQueue("components", self.sync)
        shared.nodes.on_change(lambda event, _new, _old: self.queue.add(_ALL) if event == "ADDED" else None)

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, _key: Key) -> None:
        nodes = sorted(node["metadata"]["name"] for node in self.shared.nodes.all())
        pods = virt_controllers(self.shared)
        taken = {pod["spec"]["nodeName"] for pod in pods}
        free = [node for node in nodes if node not in taken]
        for number, node in list(enumerate(free, len(pods)))[: REPLICAS - len(pods)]:
            await self._create(_pod(number, node, self.shared.platform.kubevirt_namespace), number)

    async def _create(self, pod: Obj, number: int) -> None:
        client = self.shared.client_for(self.shared.platform.service_account(names.OPERATOR_USER))
        meta = pod["metadata"]
        try:
            await client.create(names.PODS, pod)
            if number == 0:
                await client.create(LEASES, _lease(meta["name"], meta["namespace"]))
        except ApiError as error:
            if error.code != 409:
                raise
        status = {"status": _running(pod, f"10.244.255.{number + 1}")}
        written = await client.patch(names.PODS, meta["name"], meta["namespace"], status, subresource="status")
        await self.shared.pods.catch_up(written)


def virt_controllers(shared: Shared) -> list[Obj]:
    """The pods of virt-controller, the leader first."""
    found = shared.pods.all(where=lambda pod: (pod["metadata"].get("labels") or {}).get(COMPONENT) == VIRT_CONTROLLER)
    return sorted(found, key=lambda pod: str(pod["status"].get("podIP")))


def _pod(number: int, node: str, namespace: str) -> Obj:
    """Named as a Deployment names pods, but with the same names in every cluster."""
    tail = hashlib.sha256(f"{VIRT_CONTROLLER}/{number}".encode()).hexdigest()[:5]
    name = f"{VIRT_CONTROLLER}-5d8b9c7f6-{tail}"
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
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
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
