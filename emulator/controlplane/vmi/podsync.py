# SPDX-License-Identifier: Apache-2.0
"""virt-controller's writes to the pod that a VMI runs in."""

from __future__ import annotations

import json
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import (
    annotations_of,
    by_name,
    containers_ready,
    interfaces,
    is_absent,
    is_migrating,
    labels_of,
    phase,
    pod_is_going,
)
from emulator.controlplane.context import Shared
from emulator.controlplane.network.pod_interfaces import networks_annotation, wanted_attachments
from emulator.kube import conditions

Obj = dict[str, Any]


async def sync_pod(shared: Shared, vmi: Obj, pod: Obj) -> None:
    """Writes the node label, the networks annotation after a hot-plug or unplug, a note for deschedulers while an
    eviction is under way, and the pause condition.
    """
    if pod_is_going(pod):
        return
    metadata: Obj = {}
    node = labels_of(vmi).get(names.NODE_NAME)
    if node and labels_of(pod).get(names.NODE_NAME) != node:
        metadata["labels"] = {names.NODE_NAME: node}
    if phase(vmi) in ("Scheduled", "Running") and containers_ready(pod) and not is_migrating(vmi):
        wanted = wanted_attachments(vmi)
        changed = _is_plugging(vmi) and _annotation(pod) != wanted
        if shared.fault_points.apply("pod.networks_rewritten", changed, vmi=vmi, pod=pod):
            metadata["annotations"] = {names.NETWORKS: networks_annotation(wanted)}
    marked = "true" if vmi["status"].get("evacuationNodeName") else None
    if annotations_of(pod).get(names.EVICTION_IN_PROGRESS) != marked:
        metadata.setdefault("annotations", {})[names.EVICTION_IN_PROGRESS] = marked
    meta = pod["metadata"]
    if metadata:
        written = await shared.client.patch(names.PODS, meta["name"], meta["namespace"], {"metadata": metadata})
        await shared.pods.catch_up(written)
        pod = written
    if pod["spec"].get("nodeName"):
        await _sync_paused(shared, vmi, pod)


def _is_plugging(vmi: Obj) -> bool:
    """Whether the guest still lacks a new NIC or has a removed one; a changed NAD alone does not change the pod."""
    reported = by_name([entry for entry in vmi["status"].get("interfaces") or [] if entry.get("name")])
    nics = interfaces(vmi["spec"])
    there = {name for name, entry in reported.items() if "domain" in entry.get("infoSource", "")}
    return any(is_absent(nic) or nic["name"] not in there for nic in nics)


def _annotation(pod: Obj) -> list[Obj]:
    text = annotations_of(pod).get(names.NETWORKS)
    return list(json.loads(text)) if text else []


async def _sync_paused(shared: Shared, vmi: Obj, pod: Obj) -> None:
    if conditions.is_true(vmi, "Paused"):
        status, reason, message = "False", "Paused", "the virtual machine is paused"
    else:
        status, reason, message = "True", "NotPaused", "the virtual machine is not paused"
    known = conditions.find(pod, names.UNPAUSED)
    if known is not None and known["status"] == status:
        return
    condition = conditions.new(names.UNPAUSED, status, reason=reason, message=message, probed=True)
    others = [c for c in pod.get("status", {}).get("conditions") or [] if c["type"] != names.UNPAUSED]
    patch = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": pod["metadata"]["resourceVersion"]},
        {"op": "add", "path": "/status/conditions", "value": [*others, condition]},
    ]
    meta = pod["metadata"]
    written = await shared.client.patch(names.PODS, meta["name"], meta["namespace"], patch, subresource="status")
    await shared.pods.catch_up(written)
