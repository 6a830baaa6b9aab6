# SPDX-License-Identifier: Apache-2.0
"""An object as paths and values; list items are called by their name or type, not by their number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .names import Obj

NAMED = {
    "networks",
    "interfaces",
    "disks",
    "volumes",
    "volumeStatus",
    "volumeSnapshotStatuses",
    "containers",
    "initContainers",
    "env",
    "volumeMounts",
}
NETWORKS = "k8s.v1.cni.cncf.io/networks"


def flat(obj: Obj) -> dict[str, Any]:
    """Every path of an object with its value; empty containers are values."""
    return dict(_walk(obj, ""))


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _walk(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        yield from _list(value, path)
    elif path.endswith(NETWORKS):
        yield path, json.loads(value or "[]")
    else:
        yield path, value


def _list(items: list[Any], path: str) -> Iterator[tuple[str, Any]]:
    last = path.rsplit(".", 1)[-1]
    if last == "conditions":
        for item in items:
            said = " ".join(str(item[key]) for key in ("status", "reason") if item.get(key))
            yield f"{path}[{item['type']}]", said + (f": {item['message']}" if item.get("message") else "")
    elif last in NAMED and all("name" in item for item in items):
        yield f"{path}[]", [item["name"] for item in items]
        for item in items:
            rest = {key: value for key, value in item.items() if key != "name"}
            yield from _walk(rest, f"{path}[{item['name']}]")
    else:
        yield path, items
