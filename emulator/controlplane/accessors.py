# SPDX-License-Identifier: Apache-2.0
"""Accessors for fields of VMIs, migration objects and pods."""

from __future__ import annotations

import json
from typing import Any

from emulator.kube import conditions

from .names import NETWORK_STATUS

Obj = dict[str, Any]
FINAL = ("Succeeded", "Failed")


def phase(obj: Obj) -> str:
    """``status.phase``; "" while there is none."""
    return str(obj.get("status", {}).get("phase", ""))


def is_final(obj: Obj) -> bool:
    return phase(obj) in FINAL


def is_deleting(obj: Obj) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def is_migrating(vmi: Obj) -> bool:
    """KubeVirt's IsMigrating: the copy has started and has not ended."""
    state = vmi.get("status", {}).get("migrationState") or {}
    return bool(state.get("startTimestamp")) and not state.get("endTimestamp")


def is_migratable(vmi: Obj) -> bool:
    return conditions.is_true(vmi, "LiveMigratable")


def migration_state(vmi: Obj) -> Obj:
    return dict(vmi.get("status", {}).get("migrationState") or {})


def labels_of(obj: Obj) -> dict[str, str]:
    return dict(obj["metadata"].get("labels") or {})


def annotations_of(obj: Obj) -> dict[str, str]:
    return dict(obj["metadata"].get("annotations") or {})


def networks(spec: Obj) -> list[Obj]:
    return list(spec.get("networks") or [])


def interfaces(spec: Obj) -> list[Obj]:
    return list(spec.get("domain", {}).get("devices", {}).get("interfaces") or [])


def by_name(items: list[Obj]) -> dict[str, Obj]:
    return {item["name"]: item for item in items}


def is_secondary(network: Obj) -> bool:
    """A Multus network that is not the pod's default one."""
    multus = network.get("multus")
    return multus is not None and not multus.get("default")


def is_absent(interface: Obj) -> bool:
    return interface.get("state") == "absent"


def is_controlled_by(obj: Obj, owner: Obj) -> bool:
    return any(
        ref.get("controller") and ref["uid"] == owner["metadata"]["uid"]
        for ref in obj["metadata"].get("ownerReferences") or []
    )


def controller_of(obj: Obj, kind: str) -> str:
    """The name of the controlling owner of that kind; "" where there is none."""
    for ref in obj["metadata"].get("ownerReferences") or []:
        if ref.get("controller") and ref["kind"] == kind:
            return str(ref["name"])
    return ""


def owner_reference(owner: Obj) -> Obj:
    return {
        "apiVersion": owner["apiVersion"],
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }


def network_status(pod: Obj) -> list[Obj]:
    """The network-status that Multus wrote on a pod; empty if there is none yet, or if it cannot be read."""
    text = annotations_of(pod).get(NETWORK_STATUS, "")
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def pod_is_down(pod: Obj) -> bool:
    return phase(pod) in FINAL


def pod_is_going(pod: Obj) -> bool:
    return is_deleting(pod) or pod_is_down(pod)


def containers_ready(pod: Obj) -> bool:
    """Running with every container ready; readiness gates do not count."""
    if pod_is_going(pod) or phase(pod) != "Running":
        return False
    statuses = pod["status"].get("containerStatuses") or []
    return bool(statuses) and all(status.get("ready") for status in statuses)
