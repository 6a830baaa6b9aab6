# SPDX-License-Identifier: Apache-2.0
"""The kubelet's changes of a pod's status. Every function changes the given pod."""

from __future__ import annotations

import hashlib
from typing import Any

from ..kube import conditions
from ..kube.client import Obj
from ..kube.timestamps import timestamp


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def set_waiting(pod: Obj, host_ip: str, reason: str = "") -> None:
    """The pod is assigned to the node, but has no sandbox yet, or waits for the given reason."""
    status = pod["status"]
    if "containerStatuses" in status:
        return
    status["hostIP"] = host_ip
    status["hostIPs"] = [{"ip": host_ip}]
    status.setdefault("startTime", timestamp())
    init = pod["spec"].get("initContainers", [])
    reason = reason or ("PodInitializing" if init else "ContainerCreating")
    uid = pod["metadata"]["uid"]
    if init:
        status["initContainerStatuses"] = [_waiting(c, uid, reason) for c in init]
        unready = f"containers with incomplete status: [{' '.join(c['name'] for c in init)}]"
        conditions.update(pod, "Initialized", "False", reason="ContainersNotInitialized", message=unready)
    else:
        conditions.update(pod, "Initialized", "True")
    status["containerStatuses"] = [_waiting(c, uid, reason) for c in pod["spec"]["containers"]]
    conditions.update(pod, "PodReadyToStartContainers", "False")
    names = " ".join(c["name"] for c in pod["spec"]["containers"])
    for kind in ("Ready", "ContainersReady"):
        unready = f"containers with unready status: [{names}]"
        conditions.update(pod, kind, "False", reason="ContainersNotReady", message=unready)


def set_running(pod: Obj, host_ip: str, pod_ips: tuple[str, ...]) -> None:
    """The sandbox exists and the containers run."""
    status = pod["status"]
    status["phase"] = "Running"
    status["hostIP"] = host_ip
    status["hostIPs"] = [{"ip": host_ip}]
    status["podIP"] = pod_ips[0]
    status["podIPs"] = [{"ip": ip} for ip in pod_ips]
    started = status.setdefault("startTime", timestamp())
    for kind in ("PodReadyToStartContainers", "Initialized", "ContainersReady", "PodScheduled"):
        conditions.update(pod, kind, "True")
    uid = pod["metadata"]["uid"]
    if all("waiting" in entry["state"] for entry in status.get("containerStatuses", [])):
        init = pod["spec"].get("initContainers", [])
        if init:
            status["initContainerStatuses"] = [
                _running(c, uid, started) if c.get("restartPolicy") == "Always" else _completed(c, uid, started, 0)
                for c in init
            ]
        status["containerStatuses"] = [_running(c, uid, started) for c in pod["spec"]["containers"]]
    set_ready(pod)


def set_ready(pod: Obj) -> None:
    """The Ready condition from the containers and the readiness gates."""
    unready = []
    for gate in pod["spec"].get("readinessGates", []):
        kind = gate["conditionType"]
        condition = conditions.find(pod, kind)
        if condition is None:
            unready.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif condition["status"] != "True":
            unready.append(f'the status of pod readiness gate "{kind}" is not "True", but {condition["status"]}')
    if unready:
        conditions.update(pod, "Ready", "False", reason="ReadinessGatesNotReady", message=", ".join(unready))
    else:
        conditions.update(pod, "Ready", "True")


def set_finished(pod: Obj, exit_code: int) -> None:
    """Every container has ended: Succeeded, or Failed when one ended with an error."""
    status = pod["status"]
    succeeded = exit_code == 0
    status["phase"] = "Succeeded" if succeeded else "Failed"
    reason = "PodCompleted" if succeeded else "PodFailed"
    if conditions.find(pod, "Initialized"):
        conditions.update(pod, "Initialized", "True", reason=reason if succeeded else "")
    conditions.update(pod, "PodReadyToStartContainers", "False")
    for kind in ("Ready", "ContainersReady"):
        conditions.update(pod, kind, "False", reason=reason)
    uid = pod["metadata"]["uid"]
    for field, code in (("initContainerStatuses", 0), ("containerStatuses", exit_code)):
        statuses = status.get(field, [])
        if any("running" in entry["state"] for entry in statuses):
            status[field] = [
                _completed(entry, uid, entry["state"]["running"]["startedAt"], code, ready=False)
                if "running" in entry["state"]
                else entry
                for entry in statuses
            ]


def _waiting(container: dict[str, Any], uid: str, reason: str) -> dict[str, Any]:
    """The status of a container that was never created: it has no id."""
    status = _status(container, uid) | {"imageID": "", "containerID": ""}
    return status | {"state": {"waiting": {"reason": reason}}, "ready": False, "started": False}


def _running(container: dict[str, Any], uid: str, started: str) -> dict[str, Any]:
    return _status(container, uid) | {
        "state": {"running": {"startedAt": started}},
        "ready": True,
        "started": True,
    }


def _completed(
    container: dict[str, Any], uid: str, started: str, exit_code: int, *, ready: bool = True
) -> dict[str, Any]:
    """The status of an ended container; an init container that succeeded counts as ready."""
    status = _status(container, uid)
    terminated = {
        "exitCode": exit_code,
        "reason": "Completed" if exit_code == 0 else "Error",
        "startedAt": started,
        "finishedAt": timestamp(),
        "containerID": status["containerID"],
    }
    return status | {"state": {"terminated": terminated}, "ready": ready, "started": False}


def _status(container: dict[str, Any], uid: str) -> dict[str, Any]:
    """The fields of a container's status in every state; takes a container or an older status of it."""
    image = container["image"]
    return {
        "name": container["name"],
        "lastState": {},
        "restartCount": 0,
        "image": image,
        "imageID": f"{image.split('@')[0].rsplit(':', 1)[0]}@sha256:{hash_of(image)}",
        "containerID": f"embedded://{hash_of(uid + container['name'])}",
    }
