# SPDX-License-Identifier: Apache-2.0
"""The fields of a VMI's status that virt-controller derives from the launcher pods."""

from __future__ import annotations

from emulator.controlplane import names
from emulator.controlplane.accessors import (
    Obj,
    by_name,
    containers_ready,
    interfaces,
    is_absent,
    is_deleting,
    is_final,
    is_secondary,
    network_status,
    networks,
    phase,
    pod_is_down,
)
from emulator.controlplane.network.pod_interfaces import PRIMARY, pod_interface
from emulator.controlplane.profile import Profile
from emulator.controlplane.vmi.cpu import overhead_mib
from emulator.kube import conditions
from emulator.kube.timestamps import timestamp

MULTUS = "multus-status"


def set_phase(obj: Obj, new: str) -> None:
    """Sets ``status.phase`` and its transition timestamp."""
    status = obj.setdefault("status", {})
    if status.get("phase") != new:
        status["phase"] = new
        entry = {"phase": new, "phaseTransitionTimestamp": timestamp()}
        status["phaseTransitionTimestamps"] = [*(status.get("phaseTransitionTimestamps") or []), entry]


def advance(vmi: Obj, pod: Obj | None, profile: Profile) -> None:
    """The phases up to Scheduled, and the end of a VMI whose pod is gone; virt-handler sets all others."""
    current = phase(vmi)
    if current in ("", "Pending"):
        if pod is not None:
            set_phase(vmi, "Scheduling")
            if profile.tells_overhead:
                vmi["status"].setdefault("memory", {})["memoryOverhead"] = f"{overhead_mib(vmi, profile)}Mi"
        elif is_deleting(vmi):
            set_phase(vmi, "Succeeded")
        elif not current:
            set_phase(vmi, "Pending")
    elif current == "Scheduling":
        if pod is None or pod_is_down(pod):
            set_phase(vmi, "Failed" if not is_deleting(vmi) else "Succeeded")
        elif containers_ready(pod) and network_status(pod):
            _schedule(vmi, pod)
    elif current in ("Scheduled", "Running") and pod is None:
        set_phase(vmi, "Failed" if not is_deleting(vmi) else "Succeeded")
        vmi["status"].pop("launcherContainerImageVersion", None)


def _schedule(vmi: Obj, pod: Obj) -> None:
    set_phase(vmi, "Scheduled")
    node = pod["spec"]["nodeName"]
    vmi["status"]["nodeName"] = node
    vmi["status"]["migrationTransport"] = "Unix"
    vmi["metadata"].setdefault("labels", {})[names.NODE_NAME] = node
    volumes = vmi["spec"].get("volumes") or []
    vmi["status"]["volumeStatus"] = [{"name": volume["name"], "target": ""} for volume in volumes]
    vmi["status"]["interfaces"] = [
        {"name": net["name"], "podInterfaceName": PRIMARY if not is_secondary(net) else pod_interface(net["name"])}
        for net in networks(vmi["spec"])
    ]
    sync_interfaces(vmi, pod)


def sync_interfaces(vmi: Obj, pod: Obj) -> None:
    """Adds or removes ``multus-status`` and sets podInterfaceName, from the pod's network-status."""
    attached = {entry.get("interface") for entry in network_status(pod)}
    if not attached:
        return
    reported = [dict(entry) for entry in vmi.get("status", {}).get("interfaces") or []]
    known = by_name([entry for entry in reported if entry.get("name")])
    nics = by_name(interfaces(vmi["spec"]))
    for net in networks(vmi["spec"]):
        if not is_secondary(net):
            continue
        name = pod_interface(net["name"])
        entry = known.get(net["name"])
        if entry is None:
            if name not in attached or is_absent(nics.get(net["name"], {})):
                continue
            entry = {"name": net["name"]}
            reported.append(entry)
        if name in attached:
            entry["podInterfaceName"] = name
        _mark(entry, name in attached)
    if reported:
        vmi["status"]["interfaces"] = reported


def _mark(entry: Obj, attached: bool) -> None:
    sources = [s for s in (part.strip() for part in entry.get("infoSource", "").split(",")) if s and s != MULTUS]
    if attached:
        sources.append(MULTUS)
    if sources:
        entry["infoSource"] = ", ".join(sources)
    else:
        entry.pop("infoSource", None)


def sync_pods(vmi: Obj, pods: list[Obj], current: Obj | None) -> None:
    """activePods, and what is copied from the pod that the VMI runs in."""
    status = vmi["status"]
    active = {p["metadata"]["uid"]: p["spec"].get("nodeName", "") for p in pods if not pod_is_down(p)}
    if status.get("phase") in ("", "Pending"):
        return
    finished = {p["metadata"]["uid"]: p["spec"].get("nodeName", "") for p in pods if pod_is_down(p)}
    if not is_final(vmi) and not is_deleting(vmi):
        # A completed source pod stays listed until it is deleted.
        active |= {uid: node for uid, node in finished.items() if uid in (status.get("activePods") or {})}
    if active:
        status["activePods"] = dict(sorted(active.items()))
    else:
        status.pop("activePods", None)
    if current is not None:
        status["launcherContainerImageVersion"] = current["spec"]["containers"][0]["image"]
        if current["spec"].get("nodeName") and current.get("status", {}).get("qosClass"):
            status["qosClass"] = current["status"]["qosClass"]


def sync_ready(vmi: Obj, pod: Obj | None) -> None:
    """The Ready condition: the pod's, unless there is no pod, it is terminating, or the guest does not run."""
    if phase(vmi) in ("", "Pending") and pod is None:
        return
    conditions.put(vmi, _ready(vmi, pod))


def _ready(vmi: Obj, pod: Obj | None) -> Obj:
    if pod is None or pod_is_down(pod):
        return _not_ready("PodNotExists", "virt-launcher pod has not yet been scheduled")
    if is_deleting(pod):
        return _not_ready("PodTerminating", "virt-launcher pod is terminating")
    if phase(vmi) != "Running":
        return _not_ready("GuestNotRunning", "Guest VM is not reported as running")
    found = conditions.find(pod, "Ready")
    if found is None:
        return _not_ready("PodConditionMissing", "virt-launcher pod is missing the Ready condition")
    copied = {"lastProbeTime": found.get("lastProbeTime"), "lastTransitionTime": found["lastTransitionTime"]}
    for key in ("message", "reason"):
        if found.get(key):
            copied[key] = found[key]
    return copied | {"status": found["status"], "type": "Ready"}


def _not_ready(reason: str, message: str) -> Obj:
    return conditions.new("Ready", "False", reason=reason, message=message, probed=True)


def sync_scheduled(vmi: Obj, pod: Obj | None) -> None:
    """PodScheduled is shown only while it is False."""
    found = conditions.find(pod, "PodScheduled") if pod is not None else None
    if found is not None and found["status"] == "False":
        conditions.put(vmi, {"lastProbeTime": None, **found})
    else:
        conditions.remove(vmi, "PodScheduled")


def sync_eviction(vmi: Obj) -> None:
    """Shows as a condition that the VMI is to leave its node."""
    if vmi["status"].get("evacuationNodeName"):
        kind, message = names.EVICTION_REQUESTED, "VMI is marked for eviction"
        conditions.put(vmi, conditions.new(kind, "True", reason=kind, message=message))
    else:
        conditions.remove(vmi, names.EVICTION_REQUESTED)
