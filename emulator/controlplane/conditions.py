"""Conditions of an object's status, as lists of plain JSON."""

from __future__ import annotations

from typing import Any

from emulator.kube.timestamps import timestamp

Obj = dict[str, Any]


def find(obj: Obj, kind: str) -> Obj | None:
    for condition in obj.get("status", {}).get("conditions") or []:
        if condition["type"] == kind:
            return dict(condition)
    return None


def is_true(obj: Obj, kind: str) -> bool:
    return has_status(obj, kind, "True")


def has_status(obj: Obj, kind: str, status: str) -> bool:
    condition = find(obj, kind)
    return condition is not None and condition.get("status") == status


def new(kind: str, status: str, *, reason: str = "", message: str = "", probed: bool = False) -> Obj:
    """A condition that changes now. KubeVirt writes ``lastProbeTime: null`` where it has not probed."""
    now = timestamp()
    condition: Obj = {"lastProbeTime": now if probed else None, "lastTransitionTime": now}
    if message:
        condition["message"] = message
    if reason:
        condition["reason"] = reason
    return condition | {"status": status, "type": kind}


def put(obj: Obj, condition: Obj) -> bool:
    """Sets a condition; one of equal status, reason and message stays as it is. True when something changed."""
    conditions = obj.setdefault("status", {}).setdefault("conditions", [])
    for index, old in enumerate(conditions):
        if old["type"] == condition["type"]:
            if all(old.get(k) == condition.get(k) for k in ("status", "reason", "message")):
                return False
            conditions[index] = condition
            return True
    conditions.append(condition)
    return True


def remove(obj: Obj, kind: str) -> bool:
    """True when there was one."""
    conditions = obj.get("status", {}).get("conditions")
    if not conditions or all(c["type"] != kind for c in conditions):
        return False
    obj["status"]["conditions"] = [c for c in conditions if c["type"] != kind]
    if not obj["status"]["conditions"]:
        del obj["status"]["conditions"]
    return True
