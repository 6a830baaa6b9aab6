# SPDX-License-Identifier: Apache-2.0
"""Sets of field paths in the FieldsV1 form: ``{"f:metadata": {"f:labels": {".": {}, "f:app": {}}}}``.

An empty object is a leaf: the field as a whole.
"""

from __future__ import annotations

import json
from typing import Any

from .listtypes import list_keys
from .objects import Obj
from .registry import Resource

FieldSet = dict[str, Any]
# What belongs to the server and to no manager.
UNMANAGED = frozenset(
    {
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
    }
)
MISSING = object()


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = union(merged[key], value) if key in merged else value
    return merged


def subtract(one: FieldSet, other: FieldSet) -> FieldSet:
    """Without every leaf of ``other``, and without what lies beneath such a leaf."""
    if not other:
        return one
    left: FieldSet = {}
    for key, value in one.items():
        if key not in other:
            left[key] = value
        elif other[key]:
            rest = subtract(value, other[key])
            if rest == {".": {}}:
                # Only the map itself is left, which is written as a leaf.
                rest = {}
                left[key] = rest
            elif rest:
                left[key] = rest
            elif not value:
                left[key] = value
    return left


def intersect(one: FieldSet, other: FieldSet) -> FieldSet:
    """The leaves that both have."""
    both: FieldSet = {}
    for key, value in one.items():
        if key not in other:
            continue
        if not value and not other[key]:
            both[key] = {}
        elif value and other[key]:
            inner = intersect(value, other[key])
            if inner:
                both[key] = inner
    return both


def item_key(keys: tuple[str, ...] | None, item: Any) -> str:
    """The FieldsV1 name of a list's item: ``k:{"name":"a"}`` by keys, ``v:"a"`` by value."""
    if keys:
        chosen = {key: item[key] for key in keys if isinstance(item, dict) and key in item}
        return "k:" + json.dumps(chosen, separators=(",", ":"), sort_keys=True)
    return "v:" + json.dumps(item, separators=(",", ":"))


def fields_of(resource: Resource, obj: Obj) -> FieldSet:
    """Every field of an object that a manager can own."""
    return changed_fields(resource, None, obj)[0]


def changed_fields(resource: Resource, old: Obj | None, new: Obj) -> tuple[FieldSet, FieldSet]:
    """(fields that ``new`` adds or changes, fields that it no longer has)."""
    difference = _Difference(resource)
    top = _managed(new)
    before = _managed(old or {})
    for key in top.keys() | before.keys():
        if key == "metadata":
            difference.children((key,), before.get(key, {}), top.get(key, {}))
        else:
            difference.compare((key,), f"f:{key}", before.get(key, MISSING), top.get(key, MISSING))
    return in_order(difference.written), in_order(difference.removed)


def in_order(fields: FieldSet) -> FieldSet:
    """Sorted by name at every level, as the real server writes field sets."""
    return {key: in_order(fields[key]) for key in sorted(fields)}


def _managed(obj: Obj) -> Obj:
    kept = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
    if isinstance(kept.get("metadata"), dict):
        kept["metadata"] = {k: v for k, v in kept["metadata"].items() if k not in UNMANAGED}
    return kept


class _Difference:
    """Collects what differs between two objects."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.written: FieldSet = {}
        self.removed: FieldSet = {}

    def children(self, path: tuple[str, ...], old: Obj, new: Obj, *, itself: bool = False) -> None:
        """Compares the parts of a map and files what differs under the map's own name."""
        self.parts(path, f"f:{path[-1]}", _by_field(old), _by_field(new), itself=itself)

    def parts(self, path: tuple[str, ...], name: str, old: FieldSet, new: FieldSet, *, itself: bool) -> None:
        inner = _Difference(self.resource)
        if itself:
            inner.written["."] = {}
        for key in [*new, *(k for k in old if k not in new)]:
            child = (*path, key[2:]) if key.startswith("f:") else (*path, "[]")
            inner.compare(child, key, old.get(key, MISSING), new.get(key, MISSING))
        if inner.written:
            self.written[name] = inner.written
        if inner.removed:
            self.removed[name] = inner.removed

    def compare(self, path: tuple[str, ...], name: str, old: Any, new: Any) -> None:
        if old is new or (old is not MISSING and new is not MISSING and old == new):
            return
        if new is MISSING:
            self.removed[name] = {}
            return
        old_parts, new_parts = self.named(path, old), self.named(path, new)
        if not new_parts:
            self.written[name] = {}
            return
        # The top sections of a built-in object are no fields of their own; a CRD's are.
        own = self.resource.custom or len(path) > 1 or path[0] == "data"
        self.parts(path, name, old_parts, new_parts, itself=own and not old_parts)

    def named(self, path: tuple[str, ...], value: Any) -> FieldSet:
        """The named parts of a map, or of a list whose items have identity; empty for a leaf."""
        if isinstance(value, dict):
            return _by_field(value)
        if isinstance(value, list):
            keys = list_keys(self.resource, path)
            if keys is not None:
                return {item_key(keys, item): item for item in value}
        return {}


def _by_field(value: Obj) -> FieldSet:
    return {f"f:{key}": inner for key, inner in value.items()}
