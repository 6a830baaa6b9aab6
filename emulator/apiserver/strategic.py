# SPDX-License-Identifier: Apache-2.0
"""Strategic merge patch, for built-in kinds."""

from __future__ import annotations

from typing import Any

from .listtypes import merge_key
from .objects import Obj, clone
from .registry import Resource
from .status_errors import bad_request

DIRECTIVE = "$patch"
DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
SET_ORDER = "$setElementOrder/"
RETAIN = "$retainKeys"


def strategic_merge(resource: Resource, obj: Obj, patch: Obj) -> Obj:
    """The patched object: maps are merged, lists with a merge key item by item, other lists replaced."""
    merged = _merge_map(resource, (), obj, patch)
    if not isinstance(merged, dict):
        raise bad_request("the patch replaces the whole object by nothing")
    return merged


def _merge_map(resource: Resource, path: tuple[str, ...], old: Any, patch: Obj) -> Any:
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return clone({key: value for key, value in patch.items() if key != DIRECTIVE})
    if directive == "delete":
        return {}
    merged: Obj = dict(old) if isinstance(old, dict) else {}
    retained = patch.get(RETAIN)
    if isinstance(retained, list):
        merged = {key: value for key, value in merged.items() if key in retained}
    for key, value in patch.items():
        if key.startswith(DELETE_PRIMITIVES):
            field = key[len(DELETE_PRIMITIVES) :]
            merged[field] = [item for item in merged.get(field) or [] if item not in value]
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge_map(resource, (*path, key), merged.get(key), value)
        elif isinstance(value, list):
            order = patch.get(SET_ORDER + key)
            merged[key] = _merge_list(resource, (*path, key), merged.get(key), value, order)
        else:
            merged[key] = value
    return merged


def _merge_list(resource: Resource, path: tuple[str, ...], old: Any, patch: list[Any], order: Any) -> list[Any]:
    key = merge_key(resource, path)
    if key is None or not isinstance(old, list) or {DIRECTIVE: "replace"} in patch:
        return [clone(item) for item in patch if item != {DIRECTIVE: "replace"}]
    if key == "":
        return [*old, *(item for item in patch if item not in old)]
    merged = list(old)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        at = next((i for i, mine in enumerate(merged) if mine.get(key) == item[key]), None)
        if item.get(DIRECTIVE) == "delete":
            merged = [mine for mine in merged if mine.get(key) != item[key]]
        elif at is None:
            merged.append(_merge_map(resource, (*path, "[]"), {}, item))
        else:
            merged[at] = _merge_map(resource, (*path, "[]"), merged[at], item)
    if isinstance(order, list):
        places = {entry.get(key): index for index, entry in enumerate(order) if isinstance(entry, dict)}
        merged.sort(key=lambda mine: places.get(mine.get(key), len(places)))
    return merged
