"""What of a history must be the same on the real control plane and on the embedded one.

A history is a list of (event, kind, object) in the order of the watch. Names, uids and times are taken out; of each
object's fields only the order of their values is kept, so that it does not matter how two objects interleave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

Obj = dict[str, Any]
Entry = tuple[str, str, Obj]
# States between two writes of the same controller: whether another one sees them is chance.
PASSING = ("", "False PodNotExists", "False PodTerminating", "False VMINotExists", "False VMIConditionMissing")
CONTROLLERS = ("virtualmachine-controller", "workload-update-controller")


def facts_of(history: Iterable[Entry]) -> Obj:
    entries = [entry for entry in history if entry[0] != "DELETED"]
    vms = [obj for _, kind, obj in entries if kind == "VirtualMachine"]
    vmis = [obj for _, kind, obj in entries if kind == "VirtualMachineInstance"]
    pods = [obj for _, kind, obj in entries if kind == "Pod"]
    return {
        "VM": {
            "printableStatus": _values(obj.get("status", {}).get("printableStatus") for obj in vms),
            "RestartRequired": _values(_condition(obj, "RestartRequired") for obj in vms),
            "MigrationRequired": _values(_condition(obj, "MigrationRequired") for obj in vms),
            "Ready": _lasting(_condition(obj, "Ready") for obj in vms),
            "generations": _values(
                [obj["status"].get("observedGeneration"), obj["status"].get("desiredGeneration")]
                for obj in vms
                if obj.get("status", {}).get("created")
            ),
        },
        "VMI": {
            "uids": len({obj["metadata"]["uid"] for obj in vmis}),
            "phase": _values(obj["status"].get("phase") for obj in vmis),
            "networks": _values(_networks(obj) for obj in vmis),
            "MigrationRequired": _values(_condition(obj, "MigrationRequired") for obj in vmis),
            "Ready": _lasting(_condition(obj, "Ready") for obj in vmis),
        },
        "migrations": list(_migrations(entries)),
        "launchers": list(_launchers(pods)),
        "events": {component: _events(entries, component) for component in CONTROLLERS},
    }


def _values(values: Iterable[Any]) -> list[Any]:
    """Each value once for every time that it begins to hold."""
    found: list[Any] = []
    for value in values:
        if not found or found[-1] != value:
            found.append(value)
    return found


def _lasting(values: Iterable[str]) -> list[str]:
    return _values(value for value in values if " ".join(value.split(" ")[:2]) not in PASSING)


def _condition(obj: Obj, kind: str) -> str:
    for condition in obj.get("status", {}).get("conditions") or []:
        if condition["type"] == kind:
            return " ".join(str(condition[key]) for key in ("status", "reason", "message") if condition.get(key))
    return ""


def _networks(vmi: Obj) -> list[str]:
    return [net["multus"]["networkName"] for net in vmi["spec"]["networks"] if "multus" in net]


def _migrations(entries: list[Entry]) -> Iterator[Obj]:
    by_uid: dict[str, list[Obj]] = {}
    for _, kind, obj in entries:
        if kind == "VirtualMachineInstanceMigration":
            by_uid.setdefault(obj["metadata"]["uid"], []).append(obj)
    for versions in by_uid.values():
        last = versions[-1]
        yield {
            "generateName": last["metadata"]["generateName"],
            "spec": last["spec"],
            "phases": _values(obj.get("status", {}).get("phase", "") for obj in versions),
            "conditions": [c["type"] for c in last.get("status", {}).get("conditions") or []],
            "finalizers": _values(bool(obj["metadata"].get("finalizers")) for obj in versions),
        }


def _launchers(pods: list[Obj]) -> Iterator[Obj]:
    """The first and every later value of each launcher pod's networks annotation."""
    by_uid: dict[str, list[Obj]] = {}
    for pod in pods:
        by_uid.setdefault(pod["metadata"]["uid"], []).append(pod)
    for versions in by_uid.values():
        texts = [obj["metadata"]["annotations"].get("k8s.v1.cni.cncf.io/networks", "") for obj in versions]
        yield {
            "target": "kubevirt.io/migrationJobUID" in versions[0]["metadata"]["labels"],
            "networks": _values(
                [[net["name"], net["interface"]] for net in json.loads(text or "[]")] for text in texts
            ),
        }


def _events(entries: list[Entry], component: str) -> list[str]:
    found = []
    for event, kind, obj in entries:
        if kind == "Event" and event == "ADDED" and (obj.get("source") or {}).get("component") == component:
            about = obj["involvedObject"]["kind"]
            found.append(f"{about}: {obj['type']} {obj['reason']}: {_anonymous(obj['message'])}")
    return list(dict.fromkeys(found))


def _anonymous(text: str) -> str:
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"virt-launcher-(\S+)-\w{5}\b", r"virt-launcher-\1-XXXXX", text)
    text = re.sub(r"(kubevirt-workload-update|kubevirt-migrate-vm)-\w{5}\b", r"\1-XXXXX", text)
    return re.sub(r"\blab-[a-z0-9-]+(?=/)", "lab", text)


def differences(seen: Any, expected: Any, path: str = "") -> list[str]:
    """One line for each fact that differs."""
    if isinstance(seen, dict) and isinstance(expected, dict) and seen.keys() == expected.keys():
        return [line for key in seen for line in differences(seen[key], expected[key], f"{path}/{key}")]
    return [] if seen == expected else [f"{path}: seen {seen}, recorded {expected}"]
