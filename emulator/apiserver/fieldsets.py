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
            if rest:
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
    written: FieldSet = {}
    removed: FieldSet = {}
    before = old or {}
    for key in [*new, *(k for k in before if k not in new)]:
        if key in ("kind", "apiVersion"):
            continue
        mine, theirs = new.get(key, MISSING), before.get(key, MISSING)
        if key == "metadata":
            mine = {k: v for k, v in (mine if isinstance(mine, dict) else {}).items() if k not in UNMANAGED}
            theirs = {k: v for k, v in (theirs if isinstance(theirs, dict) else {}).items() if k not in UNMANAGED}
            _compare_maps(resource, (key,), theirs, mine, written, removed, top=True)
        else:
            _compare(resource, (key,), f"f:{key}", theirs, mine, written, removed)
    return written, removed


def _compare_maps(
    resource: Resource,
    path: tuple[str, ...],
    old: Obj,
    new: Obj,
    written: FieldSet,
    removed: FieldSet,
    *,
    top: bool = False,
) -> None:
    inner_written: FieldSet = {}
    inner_removed: FieldSet = {}
    for key in [*new, *(k for k in old if k not in new)]:
        _compare(
            resource,
            (*path, key),
            f"f:{key}",
            old.get(key, MISSING),
            new.get(key, MISSING),
            inner_written,
            inner_removed,
        )
    name = f"f:{path[-1]}"
    if inner_written:
        written[name] = inner_written
    if inner_removed:
        removed[name] = inner_removed
    del top


def _compare(
    resource: Resource, path: tuple[str, ...], name: str, old: Any, new: Any, written: FieldSet, removed: FieldSet
) -> None:
    if old is new or (old is not MISSING and new is not MISSING and old == new):
        return
    old_parts, new_parts = _parts(resource, path, old), _parts(resource, path, new)
    if new is MISSING:
        removed[name] = {}
        return
    if not new_parts:
        written[name] = {}
        return
    inner_written: FieldSet = {}
    inner_removed: FieldSet = {}
    if not old_parts and _owns_itself(resource, path):
        inner_written["."] = {}
    for key in [*new_parts, *(k for k in old_parts or {} if k not in new_parts)]:
        child = (*path, key[2:]) if key.startswith("f:") else (*path, "[]")
        _compare(
            resource,
            child,
            key,
            (old_parts or {}).get(key, MISSING),
            new_parts.get(key, MISSING),
            inner_written,
            inner_removed,
        )
    if inner_written:
        written[name] = inner_written
    if inner_removed:
        removed[name] = inner_removed


def _owns_itself(resource: Resource, path: tuple[str, ...]) -> bool:
    """Whether the map or list counts as a field of its own; the top sections of an object do not everywhere."""
    return resource.custom or len(path) > 1 or path[0] == "data"


def _parts(resource: Resource, path: tuple[str, ...], value: Any) -> FieldSet | None:
    """The named parts of a map, or of a list whose items have identity; None or empty for a leaf."""
    if isinstance(value, dict):
        return {f"f:{key}": inner for key, inner in value.items()}
    if isinstance(value, list):
        keys = list_keys(resource, path)
        if keys is not None:
            return {item_key(keys, item): item for item in value}
    return None
