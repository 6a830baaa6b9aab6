# SPDX-License-Identifier: Apache-2.0
"""Server-side apply: merges the fields that a manager declares, removes those that only this manager owned."""

from __future__ import annotations

import json
from typing import Any

from emulator.kube.errors import ApiError
from emulator.kube.timestamps import timestamp

from . import create_update
from . import status_errors as fail
from .core import ApiCore
from .fieldsets import FieldSet, changed_fields, fields_of, in_order, intersect, item_key, subtract
from .listtypes import list_keys
from .objects import Obj, clone
from .registry import Resource
from .request_context import Call, Target
from .schema import prune, unknown_metadata
from .store import Item

_ABSENT = object()


async def apply_object(core: ApiCore, call: Call, target: Target, patch: Obj, *, force: bool) -> tuple[Item, bool]:
    """Applies ``patch`` as ``call.manager``; answers the object and whether it is new. ApiError 409 for conflicts."""
    resource = target.resource
    _check(target, call, patch)
    if core.find(resource, target.namespace, target.name) is None:
        return await _create(core, call, target, patch), True
    call.applying = True
    item = await create_update.update(core, call, target, lambda live: _merge(resource, call, live, patch, force=force))
    return item, False


def _check(target: Target, call: Call, patch: Obj) -> None:
    resource = target.resource
    api_version, kind = patch.get("apiVersion", ""), patch.get("kind", "")
    shown = api_version if "/" in api_version else f"/{api_version}"
    if kind != resource.kind or api_version != resource.api_version(call.version or None):
        raise fail.bad_request(f"invalid object type: {shown if kind else '/'}, Kind={kind}")
    meta = patch.setdefault("metadata", {})
    if meta.get("managedFields"):
        raise fail.bad_request("metadata.managedFields must be nil")
    unknown = unknown_metadata(meta)
    if resource.schema is not None:
        prune(resource.schema, clone(patch), "", unknown)
    if unknown:
        where = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {shown}, Kind={kind}"
        raise fail.internal(
            f"failed to create typed patch object ({where}): .{sorted(unknown)[0]}: field not declared in schema"
        )


async def _create(core: ApiCore, call: Call, target: Target, patch: Obj) -> Item:
    resource, meta = target.resource, patch["metadata"]
    if meta.get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        raise fail.conflict(resource, target.name, why)
    create_update.check_place(target, meta)
    obj = clone(patch)
    obj["metadata"] = {**obj["metadata"], "name": target.name, "managedFields": [_entry(resource, call, patch, None)]}
    call.applying = True
    return await create_update.create(core, call, target, obj)


def _entry(resource: Resource, call: Call, patch: Obj, before: Obj | None) -> Obj:
    fields = _declared(resource, (), fields_of(resource, patch))
    if before is not None and before.get("fieldsV1") == fields:
        return before
    return {
        "manager": call.manager,
        "operation": "Apply",
        "apiVersion": resource.api_version(call.version or None),
        "time": timestamp(),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def _declared(resource: Resource, path: tuple[str, ...], fields: FieldSet) -> FieldSet:
    """The fields that an apply owns: a map is one of them only if the schema does not know it."""
    found: FieldSet = {}
    for key, value in fields.items():
        if key == ".":
            if _is_unknown(resource, path):
                found[key] = value
            continue
        found[key] = _declared(resource, (*path, key[2:] if key.startswith("f:") else "[]"), value)
    return in_order(found)


def _is_unknown(resource: Resource, path: tuple[str, ...]) -> bool:
    """Whether a path is in no schema: all of a kind without one, and metadata inside of a spec."""
    if not resource.custom or path[0] == "metadata":
        return False
    return resource.schema is None or "metadata" in path[1:-1]


def _without_dots(fields: FieldSet) -> FieldSet:
    return in_order({key: _without_dots(value) for key, value in fields.items() if key != "."})


def _merge(resource: Resource, call: Call, live: Obj, patch: Obj, *, force: bool) -> Obj:
    entries = live["metadata"].get("managedFields") or []
    mine = next((e for e in entries if e.get("manager") == call.manager and e.get("operation") == "Apply"), None)
    others = [entry for entry in entries if entry is not mine]
    entry = _entry(resource, call, patch, mine)
    merged = _merge_map(resource, (), live, patch)
    changed = intersect(_without_dots(changed_fields(resource, live, merged)[0]), entry["fieldsV1"])
    conflicts = [(other, intersect(other.get("fieldsV1", {}), changed)) for other in others]
    conflicts = [(other, fields) for other, fields in conflicts if fields]
    if conflicts and not force:
        raise _conflict(conflicts)
    for other, fields in conflicts:
        left = subtract(other["fieldsV1"], fields)
        others[others.index(other)] = {**other, "fieldsV1": left}
    others = [other for other in others if other.get("fieldsV1")]
    if mine is not None:
        gone = subtract(mine.get("fieldsV1", {}), entry["fieldsV1"])
        for other in others:
            gone = subtract(gone, other["fieldsV1"])
        _remove(resource, (), merged, gone)
    place = entries.index(mine) if mine is not None else len(others)
    others.insert(min(place, len(others)), entry)
    merged["metadata"] = {**merged["metadata"], "managedFields": others}
    return merged


def _merge_map(resource: Resource, path: tuple[str, ...], old: Any, patch: Obj) -> Obj:
    merged: Obj = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if isinstance(value, dict):
            merged[key] = _merge_map(resource, (*path, key), merged.get(key), value)
        elif isinstance(value, list):
            merged[key] = _merge_list(resource, (*path, key), merged.get(key), value)
        elif value is not None:
            merged[key] = value
    return merged


def _merge_list(resource: Resource, path: tuple[str, ...], old: Any, patch: list[Any]) -> list[Any]:
    keys = list_keys(resource, path)
    if keys is None or not isinstance(old, list):
        return [clone(item) for item in patch]
    merged = {item_key(keys, item): item for item in old}
    for item in patch:
        name = item_key(keys, item)
        known = merged.get(name)
        merged[name] = _merge_map(resource, (*path, "[]"), known, item) if isinstance(item, dict) else item
    return list(merged.values())


def _remove(resource: Resource, path: tuple[str, ...], value: Any, gone: FieldSet) -> None:
    """Takes the fields out of ``value`` in place; a map or list that this empties goes too."""
    for name, inner in gone.items():
        if name.startswith("f:") and isinstance(value, dict):
            key = name[2:]
            child = value.get(key, _ABSENT)
            if child is _ABSENT:
                continue
            if inner:
                child = value[key] = clone(child)
                _remove(resource, (*path, key), child, inner)
            if not inner or child in ({}, []):
                del value[key]
        elif isinstance(value, list):
            keys = list_keys(resource, path)
            for item in [item for item in value if item_key(keys, item) == name]:
                keyed = {f"f:{key}" for key in keys or ()}
                if not inner or keyed & inner.keys():
                    value.remove(item)
                else:
                    _remove(resource, (*path, "[]"), item, inner)


def _conflict(conflicts: list[tuple[Obj, FieldSet]]) -> ApiError:
    found = [(_manager(entry), path) for entry, fields in conflicts for path in field_paths(fields)]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, path in found
    ]
    if len(found) == 1:
        said = f"1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    else:
        managers = dict.fromkeys(manager for manager, _ in found)
        parts = [
            f"conflicts with {manager}:" + "".join(f"\n- {path}" for other, path in found if other == manager)
            for manager in managers
        ]
        said = f"{len(found)} conflicts: " + "\n".join(parts)
    return ApiError(409, "Conflict", f"Apply failed with {said}", {"causes": causes})


def _manager(entry: Obj) -> str:
    shown = json.dumps(entry.get("manager", ""))
    if entry.get("subresource"):
        shown += f" with subresource {json.dumps(entry['subresource'])}"
    return f"{shown} using {entry.get('apiVersion')}" if entry.get("operation") == "Update" else shown


def field_paths(fields: FieldSet, prefix: str = "") -> list[str]:
    """The leaves of a field set as ``.spec.containers[name="a"].image``."""
    found = []
    for name, inner in fields.items():
        if name.startswith("f:"):
            here = f"{prefix}.{name[2:]}"
        elif name.startswith("k:"):
            keys = json.loads(name[2:])
            here = prefix + "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"
        elif name.startswith("v:"):
            here = f"{prefix}[={name[2:]}]"
        else:
            continue
        found += field_paths(inner, here) if inner else [here]
    return found
