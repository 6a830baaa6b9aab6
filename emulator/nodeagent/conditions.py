"""The list of conditions that pods, nodes and VMIs carry."""

from __future__ import annotations

from typing import Any

from ..kube.timestamps import timestamp

Condition = dict[str, Any]


def find(status: dict[str, Any], kind: str) -> Condition | None:
    for condition in status.get("conditions", []):
        if condition["type"] == kind:
            found: Condition = condition
            return found
    return None


def is_true(status: dict[str, Any], kind: str) -> bool:
    condition = find(status, kind)
    return condition is not None and condition["status"] == "True"


def put(status: dict[str, Any], kind: str, value: str, *, reason: str = "", message: str = "") -> None:
    """Sets a condition; one that says the same already is left as it is, with its times.

    The time of transition moves only with the status, as the API conventions want it.
    """
    conditions = status.setdefault("conditions", [])
    old = find(status, kind)
    wanted: Condition = {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": timestamp()}
    if reason:
        wanted["reason"] = reason
    if message:
        wanted["message"] = message
    if old is None:
        conditions.append(wanted)
        return
    if all(old.get(key, "") == wanted.get(key, "") for key in ("status", "reason", "message")):
        return
    if old["status"] == value:
        wanted["lastTransitionTime"] = old.get("lastTransitionTime", wanted["lastTransitionTime"])
    conditions[conditions.index(old)] = wanted


def drop(status: dict[str, Any], kind: str) -> None:
    if "conditions" in status:
        status["conditions"] = [c for c in status["conditions"] if c["type"] != kind]
