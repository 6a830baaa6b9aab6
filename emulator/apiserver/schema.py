# SPDX-License-Identifier: Apache-2.0
"""Structural schemas: unknown fields are pruned and reported; types, required fields and enums are checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .objects import METADATA_ORDER, Obj
from .registry import Resource
from .request_context import Call
from .status_errors import Cause, bad_request, cause, invalid, invalid_value
from .store import dump

Schema = Mapping[str, Any]
_METADATA = frozenset(METADATA_ORDER) | {"selfLink"}
_TOP = frozenset({"kind", "apiVersion", "metadata"})
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def check_schema(resource: Resource, obj: Obj, call: Call) -> None:
    """Drops unknown fields in place and reports them as ``call.validation`` asks; ApiError 400 when that is Strict."""
    meta = obj["metadata"]
    patching = call.validation == "Strict" and call.options.get("kind") == "PatchOptions"
    before = dump(obj, alphabetical=resource.custom).decode() if patching else ""
    unknown = unknown_metadata(meta)
    for path in unknown:
        del meta[path.removeprefix("metadata.")]
    if resource.schema is not None:
        prune(resource.schema, obj, "", unknown)
    if call.validation == "Ignore":
        return
    said = [f'duplicate field "{path}"' for path in call.duplicates]
    said += [f'unknown field "{path}"' for path in sorted(unknown)]
    if said and patching:
        why = f"strict decoding error: {', '.join(said)}"
        raise invalid("", "", "", [invalid_value("patch", json.dumps(before, ensure_ascii=False), why)])
    if said and call.validation == "Strict":
        version = call.version or resource.version
        raise bad_request(
            f'{resource.kind} in version "{version}" cannot be handled as a {resource.kind}: strict decoding error: '
            + ", ".join(said)
        )
    for text in said:
        call.warn(text)


def unknown_metadata(meta: Obj) -> list[str]:
    """The paths in an object's metadata that are not fields of ObjectMeta."""
    return [f"metadata.{key}" for key in meta if key not in _METADATA]


def prune(schema: Schema, value: Any, path: str, unknown: list[str]) -> None:
    """Removes from ``value`` what the schema does not know; adds the paths to ``unknown``."""
    if isinstance(value, dict):
        _prune_object(schema, value, path, unknown)
    elif isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            prune(schema["items"], inner, f"{path}[{index}]", unknown)


def _prune_object(schema: Schema, value: Obj, path: str, unknown: list[str]) -> None:
    properties = schema.get("properties")
    rest = schema.get("additionalProperties")
    if properties is None and rest is None:
        return
    keep = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for key in list(value):
        here = f"{path}.{key}" if path else key
        if not path and key in _TOP:
            continue
        if properties is not None and key in properties:
            prune(properties[key], value[key], here, unknown)
        elif isinstance(rest, Mapping):
            prune(rest, value[key], here, unknown)
        elif not keep and rest is None:
            del value[key]
            unknown.append(here)


def schema_causes(schema: Schema, value: Any, path: str = "") -> list[Cause]:
    """Errors for values of the wrong type, missing fields, and values that are not in an enum."""
    wanted = schema.get("type")
    if wanted and not schema.get("x-kubernetes-int-or-string") and not _is(wanted, value):
        if value is None and schema.get("nullable"):
            return []
        shown = json.dumps(_kind(value))
        said = f"Invalid value: {shown}: {path} in body must be of type {wanted}: {shown}"
        return [cause(path, "FieldValueTypeInvalid", said)]
    found: list[Cause] = []
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(json.dumps(choice) for choice in schema["enum"])
        said = f"Unsupported value: {json.dumps(value)}: supported values: {allowed}"
        found.append(cause(path, "FieldValueNotSupported", said))
    if isinstance(value, dict):
        for key in schema.get("required", ()):
            if key not in value:
                found.append(cause(f"{path}.{key}" if path else key, "FieldValueRequired", "Required value"))
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for key, inner in value.items():
            here = f"{path}.{key}" if path else key
            if not path and key in _TOP:
                continue
            if key in properties:
                found += schema_causes(properties[key], inner, here)
            elif isinstance(rest, Mapping):
                found += schema_causes(rest, inner, here)
    elif isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            found += schema_causes(schema["items"], inner, f"{path}[{index}]")
    return found


def _is(wanted: str, value: Any) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES.get(wanted, (object,)))


def _kind(value: Any) -> str:
    for name, types in _TYPES.items():
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, types):
            return name
    return "null"


def fields(*names: str) -> Schema:
    """A schema that knows the top fields of a kind and nothing of what is beneath them."""
    return {"type": "object", "properties": {name: {} for name in names}}
