"""What virt-controller writes on the pod that a VMI runs in."""

from __future__ import annotations

import json
from typing import Any

from emulator.controlplane import conditions, names
from emulator.controlplane.context import Shared
from emulator.controlplane.instances import annotations_of, is_migrating, labels_of, phase, pod_is_going
from emulator.controlplane.network.podinterfaces import networks_annotation, wanted_attachments

Obj = dict[str, Any]


async def sync_pod(shared: Shared, vmi: Obj, pod: Obj) -> None:
    """The node label, the networks annotation after a hot-plug or unplug, and the pause condition."""
    if pod_is_going(pod):
        return
    metadata: Obj = {}
    node = labels_of(vmi).get(names.NODE_NAME)
    if node and labels_of(pod).get(names.NODE_NAME) != node:
        metadata["labels"] = {names.NODE_NAME: node}
    if phase(vmi) == "Running" and not is_migrating(vmi):
        wanted = wanted_attachments(vmi)
        changed = _plugged(pod) != {entry["interface"] for entry in wanted}
        if shared.decisions.choose("pod.networks_rewritten", changed, vmi=vmi, pod=pod):
            metadata["annotations"] = {names.NETWORKS: networks_annotation(wanted)}
    meta = pod["metadata"]
    if metadata:
        written = await shared.client.patch(names.PODS, meta["name"], meta["namespace"], {"metadata": metadata})
        await shared.pods.catch_up(written)
        pod = written
    if pod["spec"].get("nodeName"):
        await _sync_paused(shared, vmi, pod)


def _plugged(pod: Obj) -> set[str]:
    text = annotations_of(pod).get(names.NETWORKS)
    return {entry["interface"] for entry in json.loads(text)} if text else set()


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
