# SPDX-License-Identifier: Apache-2.0
"""Printer columns of the built-in kinds: what ``kubectl get`` shows."""

from __future__ import annotations

from typing import Any

from .durations import age
from .objects import Obj, get_path
from .registry import Column

NONE = "<none>"


def _age(obj: Obj) -> str:
    return age(obj["metadata"].get("creationTimestamp"))


NAME = Column("Name", ".metadata.name", format="name", description="Unique within a namespace")
AGE = Column("Age", _age, description="Time since the object was created")
CRD_AGE = Column("Age", ".metadata.creationTimestamp", type="date", description="Time since the object was created")


def _size(field: str) -> Any:
    return lambda obj: len(obj.get(field) or {}) + len(obj.get("binaryData") or {})


def _or_not_available(obj: Obj, path: str) -> str:
    found = get_path(obj, path)
    return "N/A" if found is None else str(found)


def _containers(pod: Obj) -> list[Obj]:
    found: list[Obj] = get_path(pod, "status.containerStatuses") or []
    return found


def _sidecars(pod: Obj) -> set[str]:
    """Init containers that run on beside the others count as containers."""
    init = get_path(pod, "spec.initContainers") or []
    return {container["name"] for container in init if container.get("restartPolicy") == "Always"}


def _pod_ready(pod: Obj) -> str:
    sidecars = _sidecars(pod)
    beside = [s for s in get_path(pod, "status.initContainerStatuses") or [] if s.get("name") in sidecars]
    started = [status for status in beside if status.get("started")]
    ready = sum(1 for status in [*_containers(pod), *started] if status.get("ready"))
    return f"{ready}/{len(get_path(pod, 'spec.containers') or []) + len(sidecars)}"


def _init_reason(pod: Obj) -> str | None:
    statuses = get_path(pod, "status.initContainerStatuses") or []
    sidecars = _sidecars(pod)
    for index, status in enumerate(statuses):
        state = status.get("state") or {}
        ended = state.get("terminated")
        if (ended and ended.get("exitCode") == 0) or (status.get("name") in sidecars and status.get("started")):
            continue
        if ended:
            return f"Init:{ended.get('reason') or 'ExitCode:' + str(ended.get('exitCode'))}"
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{len(get_path(pod, 'spec.initContainers') or statuses)}"
    return None


def _pod_status(pod: Obj) -> str:
    """The one word that sums up a pod: a container's reason goes before the phase."""
    status = pod.get("status") or {}
    reason = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initial = _init_reason(pod)
    if initial is not None:
        reason = initial
    else:
        running = False
        for container in reversed(_containers(pod)):
            state = container.get("state") or {}
            waiting, ended = state.get("waiting") or {}, state.get("terminated")
            if waiting.get("reason"):
                reason = waiting["reason"]
            elif ended:
                reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode', 0)}"
            elif state.get("running") and container.get("ready"):
                running = True
        if reason == "Completed" and running:
            reason = "Running"
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def _restarts(pod: Obj) -> str:
    return str(sum(status.get("restartCount", 0) for status in _containers(pod)))


def _gates(pod: Obj) -> str:
    gates = get_path(pod, "spec.readinessGates") or []
    if not gates:
        return NONE
    conditions = {c["type"]: c.get("status") for c in get_path(pod, "status.conditions") or []}
    passed = sum(1 for gate in gates if conditions.get(gate.get("conditionType")) == "True")
    return f"{passed}/{len(gates)}"


def _or_none(path: str) -> Any:
    return lambda obj: get_path(obj, path) or NONE


POD = (
    NAME,
    Column("Ready", _pod_ready, description="Containers that are ready, of all"),
    Column("Status", _pod_status, description="The state of the pod in one word"),
    Column("Restarts", _restarts, description="Restarts of all containers"),
    AGE,
    Column("IP", _or_none("status.podIP"), priority=1),
    Column("Node", _or_none("spec.nodeName"), priority=1),
    Column("Nominated Node", _or_none("status.nominatedNodeName"), priority=1),
    Column("Readiness Gates", _gates, priority=1),
)


def _node_status(node: Obj) -> str:
    conditions = {c.get("type"): c.get("status") for c in get_path(node, "status.conditions") or []}
    words = ["Ready" if conditions.get("Ready") == "True" else "NotReady" if "Ready" in conditions else "Unknown"]
    if get_path(node, "spec.unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(node: Obj) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    return ",".join(sorted(key[len(prefix) :] for key in labels if key.startswith(prefix))) or NONE


def _address(kind: str) -> Any:
    def find(node: Obj) -> str:
        for address in get_path(node, "status.addresses") or []:
            if address.get("type") == kind:
                return str(address.get("address"))
        return NONE

    return find


def _node_info(field: str) -> Any:
    return lambda node: get_path(node, f"status.nodeInfo.{field}") or "<unknown>"


NODE = (
    NAME,
    Column("Status", _node_status),
    Column("Roles", _roles),
    AGE,
    Column("Version", lambda node: get_path(node, "status.nodeInfo.kubeletVersion") or ""),
    Column("Internal-IP", _address("InternalIP"), priority=1),
    Column("External-IP", _address("ExternalIP"), priority=1),
    Column("OS-Image", _node_info("osImage"), priority=1),
    Column("Kernel-Version", _node_info("kernelVersion"), priority=1),
    Column("Container-Runtime", _node_info("containerRuntimeVersion"), priority=1),
)


def _seen(event: Obj, series_field: str, field: str) -> str:
    when = get_path(event, series_field) or event.get(field) or event.get("eventTime")
    return age(when)


def _source(event: Obj) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    host = source.get("host") or event.get("reportingInstance") or ""
    return ", ".join(part for part in (component, host) if part)


EVENT = (
    Column("Last Seen", lambda e: _seen(e, "series.lastObservedTime", "lastTimestamp")),
    Column("Type", ".type"),
    Column("Reason", ".reason"),
    Column(
        "Object",
        lambda e: (
            f"{(e.get('involvedObject') or {}).get('kind', '').lower()}/"
            f"{(e.get('involvedObject') or {}).get('name', '')}"
        ),
    ),
    Column("Subobject", lambda e: (e.get("involvedObject") or {}).get("fieldPath", ""), priority=1),
    Column("Source", _source, priority=1),
    Column("Message", lambda e: (e.get("message") or "").strip()),
    Column("First Seen", lambda e: _seen(e, "firstTimestamp", "firstTimestamp"), priority=1),
    Column("Count", lambda e: get_path(e, "series.count") or e.get("count") or 1, priority=1),
    Column("Name", ".metadata.name", priority=1, format="name"),
)
NAMESPACE = (NAME, Column("Status", lambda o: get_path(o, "status.phase") or ""), AGE)
CONFIGMAP = (NAME, Column("Data", _size("data")), AGE)
SECRET = (NAME, Column("Type", ".type"), Column("Data", _size("data")), AGE)
SERVICE_ACCOUNT = (NAME, Column("Secrets", lambda o: len(o.get("secrets") or [])), AGE)


def _ports(service: Obj) -> str:
    found = []
    for port in get_path(service, "spec.ports") or []:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        found.append(f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(found) or NONE


def _selector(path: str) -> Any:
    def show(obj: Obj) -> str:
        found = get_path(obj, path) or {}
        return ",".join(f"{k}={v}" for k, v in sorted(found.items())) or NONE

    return show


SERVICE = (
    NAME,
    Column("Type", ".spec.type"),
    Column("Cluster-IP", _or_none("spec.clusterIP")),
    Column("External-IP", lambda _: NONE),
    Column("Port(s)", _ports),
    AGE,
    Column("Selector", _selector("spec.selector"), priority=1),
)
DEPLOYMENT = (
    NAME,
    Column("Ready", lambda o: f"{get_path(o, 'status.readyReplicas') or 0}/{get_path(o, 'spec.replicas') or 0}"),
    Column("Up-to-date", lambda o: get_path(o, "status.updatedReplicas") or 0),
    Column("Available", lambda o: get_path(o, "status.availableReplicas") or 0),
    AGE,
)


def _role_ref(binding: Obj) -> str:
    ref = binding.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


DISRUPTION_BUDGET = (
    NAME,
    Column("Min Available", lambda o: _or_not_available(o, "spec.minAvailable")),
    Column("Max Unavailable", lambda o: _or_not_available(o, "spec.maxUnavailable")),
    Column("Allowed Disruptions", lambda o: get_path(o, "status.disruptionsAllowed") or 0, type="integer"),
    AGE,
)
ROLE = (NAME, Column("Created At", ".metadata.creationTimestamp"))
BINDING = (NAME, Column("Role", _role_ref), AGE)
LEASE = (NAME, Column("Holder", lambda o: get_path(o, "spec.holderIdentity") or ""), AGE)
CRD = (NAME, Column("Created At", ".metadata.creationTimestamp"))
