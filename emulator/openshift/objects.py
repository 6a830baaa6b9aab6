# SPDX-License-Identifier: Apache-2.0
"""Helpers to build OpenShift's objects."""

from __future__ import annotations

from emulator.kube.client import Obj
from emulator.kube.timestamps import timestamp


def made(api_version: str, kind: str, name: str, *, namespace: str = "", labels: dict[str, str] | None = None) -> Obj:
    """An object with only its name."""
    meta: Obj = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if labels:
        meta["labels"] = labels
    return {"apiVersion": api_version, "kind": kind, "metadata": meta}


def condition(kind: str, value: bool, reason: str = "", message: str = "", **more: object) -> Obj:
    """A condition that begins now."""
    return {
        "type": kind,
        "status": str(value),
        "reason": reason,
        "message": message,
        "lastTransitionTime": timestamp(),
        **more,
    }
