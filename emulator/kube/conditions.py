# SPDX-License-Identifier: Apache-2.0
"""Conditions in the status of objects, as lists of plain JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .timestamps import timestamp

Obj = dict[str, Any]
SAID = ("status", "reason", "message")


def find(obj: Obj, kind: str) -> Obj | None:
    """A copy of the condition of that type; None if the object has none."""
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
    condition: Obj = {
        "type": kind,
        "status": status,
        "lastProbeTime": now if probed else None,
        "lastTransitionTime": now,
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def put(obj: Obj, condition: Obj) -> bool:
    """Sets a condition, as virt-controller does: a new reason or message is a transition, too.

    One with the same status, reason and message stays as it is. True if something changed.
    """
    conditions = obj.setdefault("status", {}).setdefault("conditions", [])
    for index, old in enumerate(conditions):
        if old["type"] == condition["type"]:
            if all((old.get(key) or "") == (condition.get(key) or "") for key in SAID):
                return False
            conditions[index] = condition
            return True
    conditions.append(condition)
    return True


def update(obj: Obj, kind: str, status: str, *, reason: str = "", message: str = "") -> None:
    """Sets a condition, as kubelet and virt-handler do: the transition time changes only with the status."""
    condition = new(kind, status, reason=reason, message=message)
    old = find(obj, kind)
    if old is not None:
        condition = keep_transition_times([old], [condition])[0]
    put(obj, condition)


def keep_transition_times(old: Iterable[Obj], wanted: Iterable[Obj]) -> list[Obj]:
    """The ``wanted`` conditions; one whose status is the same as in ``old`` keeps its transition time."""
    before = {condition["type"]: condition for condition in old}
    kept = []
    for condition in wanted:
        known = before.get(condition["type"], {})
        same = known.get("status") == condition["status"] and "lastTransitionTime" in known
        kept.append(condition | {"lastTransitionTime": known["lastTransitionTime"]} if same else condition)
    return kept


def remove(obj: Obj, kind: str) -> bool:
    """Removes a condition; True if there was one."""
    conditions = obj.get("status", {}).get("conditions")
    if not conditions or all(c["type"] != kind for c in conditions):
        return False
    obj["status"]["conditions"] = [c for c in conditions if c["type"] != kind]
    if not obj["status"]["conditions"]:
        del obj["status"]["conditions"]
    return True
