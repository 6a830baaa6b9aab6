# SPDX-License-Identifier: Apache-2.0
"""Which lists of the built-in kinds are merged by key; every other list is replaced as a whole."""

from __future__ import annotations

from .registry import Resource

Keys = tuple[str, ...]
# Last part of the path -> keys; () for a set of plain values.
_METADATA: dict[str, Keys] = {"ownerReferences": ("uid",), "finalizers": ()}
_BY_FIELD: dict[str, Keys] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "conditions": ("type",),
    "podIPs": ("ip",),
    "readinessGates": (),
    "taints": (),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "addresses": ("type",),
    "secrets": ("name",),
}
_ATOMIC = {"readinessGates", "taints"}
_PORT_KEYS: dict[str, Keys] = {"containers": ("containerPort", "protocol"), "spec": ("port", "protocol")}


def list_keys(resource: Resource, path: tuple[str, ...]) -> Keys | None:
    """The keys that identify an item of the list at ``path`` (``()``: its value); None for an atomic list."""
    field = path[-1]
    if path[0] == "metadata" and len(path) == 2:
        return _METADATA.get(field)
    if resource.custom:
        return None
    if field == "ports":
        owner = next((part for part in reversed(path[:-1]) if part != "[]"), "")
        return _PORT_KEYS.get(owner)
    return None if field in _ATOMIC else _BY_FIELD.get(field)


def merge_key(resource: Resource, path: tuple[str, ...]) -> str | None:
    """The one key by which a strategic merge patch finds an item; "" for a list of plain values; None to replace."""
    if path[-1] == "taints":
        return "key"
    keys = list_keys(resource, path)
    if keys is None:
        return None
    return keys[0] if keys else ""
