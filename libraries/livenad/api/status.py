# SPDX-License-Identifier: Apache-2.0
"""How to read KubeVirt's objects: conditions, interfaces, the launcher pod that carries a VMI, its networks."""

from __future__ import annotations

import json
from collections.abc import Iterator

from livenad.api.history import History
from livenad.api.kinds import EVENT, POD, VMI, Object, dig, meta

AUTOMATIC = "kubevirt.io/workloadUpdateMigration"
"""Annotation of the migration objects that the workload updater makes; the others were made by hand."""

EVACUATION = "kubevirt.io/evacuationMigration"
"""Annotation of the migration objects that the evacuation controller makes for evictions; its value is the node."""

NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
FINAL_PHASES = ("Succeeded", "Failed")
_LONGEST = 240
"""Characters of an event that are quoted."""


def condition(item: Object, type_: str) -> Object | None:
    """A condition of an object's status, None where it is absent."""
    for entry in dig(item, "status", "conditions", default=[]) or []:
        if entry.get("type") == type_:
            return dict(entry)
    return None


def is_true(item: Object, type_: str) -> bool:
    """Whether a condition is there and "True"."""
    return (condition(item, type_) or {}).get("status") == "True"


def condition_text(item: Object, type_: str) -> str:
    """A condition as messages show it: ``LiveMigratable=False (DisksNotLiveMigratable: ...)``."""
    found = condition(item, type_)
    if found is None:
        return f"{type_} absent"
    details = ": ".join(str(found[key]) for key in ("reason", "message") if found.get(key))
    return f"{type_}={found.get('status')}" + (f" ({details})" if details else "")


def nic_status(vmi: Object, nic: str) -> Object | None:
    """The entry of a NIC in the VMI's status, None where it is not reported."""
    for entry in dig(vmi, "status", "interfaces", default=[]) or []:
        if entry.get("name") == nic:
            return dict(entry)
    return None


def network_of(spec: Object, nic: str) -> str | None:
    """NAD of a NIC in a VMI's spec, or in the template spec of a VM; None for the pod network or an unknown NIC."""
    for entry in spec.get("networks") or []:
        if entry.get("name") == nic:
            name = dig(entry, "multus", "networkName")
            return None if name is None else str(name)
    return None


def qualified(network: str, namespace: str) -> str:
    """A NAD's name as network-status writes it: ``namespace/name``."""
    return network if "/" in network else f"{namespace}/{network}"


def node_of(vmi: Object) -> str:
    """Node that a VMI runs on, "" before it is scheduled."""
    return str(dig(vmi, "status", "nodeName") or "")


def migration_state(vmi: Object) -> Object:
    """``status.migrationState`` of a VMI, empty where there is none."""
    return dict(dig(vmi, "status", "migrationState") or {})


def current_pod(history: History, vmi: Object) -> Object | None:
    """The launcher pod that carries a VMI now: of its pods on its node the newest that has not ended."""
    node, uid = node_of(vmi), meta(vmi, "uid")
    pods = [
        pod
        for pod in history.all(POD, vm=str(meta(vmi, "name")))
        if meta(pod, "labels", {}).get("kubevirt.io/created-by") == uid and dig(pod, "spec", "nodeName") == node
    ]
    return max(pods, key=_liveness, default=None)


def _liveness(pod: Object) -> tuple[bool, str]:
    """Pods that a VMI left behind when it was migrated stay, and it may come back to their node."""
    return phase_of(pod) not in FINAL_PHASES, str(meta(pod, "creationTimestamp"))


def pod_networks(pod: Object) -> dict[str, str]:
    """NADs (``namespace/name``) by a pod's interfaces, by Multus' network-status."""
    text = meta(pod, "annotations", {}).get(NETWORK_STATUS)
    try:
        entries = json.loads(text) if text else []
    except ValueError:
        return {}
    listed = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return {str(one.get("interface")): str(one.get("name")) for one in reversed(listed)}


def pod_network(pod: Object, interface: str) -> str | None:
    """NAD (``namespace/name``) behind a pod's interface by Multus' network-status, None where it is not listed."""
    return pod_networks(pod).get(interface)


def elsewhere(pod: Object, network: str) -> str:
    """``, which is behind pod1234 instead``: the interfaces of a pod that a NAD is behind; "" where it has none."""
    found = [interface for interface, name in pod_networks(pod).items() if name == network]
    return f", which is behind {' and '.join(found)} instead" if found else ""


def is_automatic(migration: Object) -> bool:
    """Whether the workload updater made a migration object."""
    return AUTOMATIC in meta(migration, "annotations", {})


def is_evacuation(migration: Object) -> bool:
    """Whether the evacuation controller made a migration object, for an eviction or a drained node."""
    return EVACUATION in meta(migration, "annotations", {})


def first_answered(history: History, vm: str) -> float | None:
    """When (monotonic clock) the agent in the guest of a VM's present VMI was first seen to answer; None if never."""
    uid = meta(history.current(VMI, vm) or {}, "uid")
    for record in history.records(VMI, vm):
        if record.uid == uid and is_true(record.object, "AgentConnected"):
            return record.at
    return None


def phase_of(item: Object) -> str:
    """``status.phase``, "" before there is one."""
    return str(dig(item, "status", "phase") or "")


NO_TROUBLE_YET = ("PodInitializing", "ContainerCreating")
"""What a container waits for while its pod is made; why that takes so long only the events tell."""


def pod_trouble(pod: Object) -> str:
    """Why a pod does not run yet, "" when it does or says nothing."""
    scheduled = condition(pod, "PodScheduled") or {}
    if scheduled.get("status") == "False":
        return f"{scheduled.get('reason')}: {scheduled.get('message', '')}".rstrip(": ")
    for entry in dig(pod, "status", "containerStatuses", default=[]) or []:
        waiting = dig(entry, "state", "waiting")
        if waiting:
            return f"{waiting.get('reason')}: {waiting.get('message', '')}".rstrip(": ")
    return ""


def vm_summary(history: History, vm: str) -> str:
    """One line on how a VM is: VMI phase, node, conditions that matter, trouble of its pods."""
    vmi = history.current(VMI, vm)
    if vmi is None:
        return "there is no VMI"
    parts = [f"VMI phase {phase_of(vmi) or 'not set'}", f"node {node_of(vmi) or 'none'}"]
    parts += [
        condition_text(vmi, type_) for type_ in ("Ready", "AgentConnected", "LiveMigratable") if not is_true(vmi, type_)
    ]
    for pod in history.all(POD, vm=vm):
        if meta(pod, "labels", {}).get("kubevirt.io/created-by") == meta(vmi, "uid") and (why := pod_trouble(pod)):
            parts.append(f"pod {meta(pod, 'name')}: {why}")
    if phase_of(vmi) not in ("Running", *FINAL_PHASES):
        if (condition(vmi, "Synchronized") or {}).get("status") == "False":
            parts.append(condition_text(vmi, "Synchronized"))
        parts += list(warnings_of(history, vm))[-1:]
    return ", ".join(parts)


def warnings_of(history: History, vm: str, since: int = 0) -> Iterator[str]:
    """``reason: message`` of the warnings about a VM's objects, oldest first, cut to a readable length."""
    for record in history.records(EVENT, vm=vm, since=since):
        if record.object.get("type") == "Warning":
            yield warning_text(record.object)


def warning_text(event: Object) -> str:
    """A warning as messages show it."""
    text = f"{event.get('reason')}: {event.get('message')}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def interface_of(spec: Object, nic: str) -> Object:
    """A NIC's interface in a VMI's spec or in a VM's template, empty where it has none."""
    cards = dig(spec, "domain", "devices", "interfaces", default=[]) or []
    return next((dict(card) for card in cards if card.get("name") == nic), {})
