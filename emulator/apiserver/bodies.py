# SPDX-License-Identifier: Apache-2.0
"""Request bodies: JSON, YAML and protobuf to objects."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from emulator.kube.errors import ApiError

from .content_negotiation import ACCEPTED, JSON, PROTOBUF, YAML
from .objects import METADATA_ORDER, Obj
from .protobuf import decode_object
from .registry import Resource
from .request_context import Call
from .status_errors import bad_request, invalid, invalid_value

MAX_BODY = 3 * 1024 * 1024
_KINDS = {
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    type(None): "null",
    dict: "object",
}


def unsupported(accepted: str = ACCEPTED) -> ApiError:
    said = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return ApiError(415, "UnsupportedMediaType", said)


async def read_body(request: web.Request) -> bytes:
    """The whole body; ApiError 413 when it is larger than 3 MiB."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        said = f"Request entity too large: limit is {MAX_BODY}"
        raise ApiError(413, "RequestEntityTooLarge", said) from None


def go_json_error(raw: bytes) -> str:
    """The message of Go's JSON parser for invalid JSON."""
    # Go reads bytes: a non-ASCII character is shown as escaped bytes.
    text = raw.decode("latin-1")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            return "unexpected end of JSON input"
        found = text[error.pos] if text[error.pos].isascii() else f"\\x{ord(text[error.pos]):02x}"
        if error.msg == "Extra data":
            return f"invalid character '{found}' after top-level value"
        if error.msg.startswith("Expecting property name"):
            return f"invalid character '{found}' looking for beginning of object key string"
        return f"invalid character '{found}' looking for beginning of value"
    return "invalid JSON"


def _excerpt(raw: bytes) -> str:
    if not raw:
        return "<empty>"
    if raw.lstrip()[:1] == b"{":
        text = raw.decode(errors="replace")
        return text if len(raw) <= 30 else f"{text[:30]} ..."
    return raw.hex() if len(raw) <= 30 else f"{raw[:30].hex()} ..."


def _unrecognized(kind: str, why: str, raw: bytes) -> ApiError:
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {why} ({_excerpt(raw)})")


def decode_object_body(raw: bytes, content_type: str, resource: Resource, call: Call) -> Obj:
    """The object of a create or update; checks that kind and apiVersion fit. Duplicate keys become warnings."""
    if content_type == PROTOBUF:
        return decode_object(raw)
    if content_type not in ("", JSON, YAML):
        raise unsupported()
    duplicates: list[str] = []
    value = _load_yaml(raw) if content_type == YAML else _load_json(raw, resource.kind, duplicates)
    if value is None and not resource.custom:
        value = {}
    if not isinstance(value, dict):
        kind = _KINDS[type(value)]
        why = (
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
        raise _unrecognized(resource.kind, why, raw)
    check_kind(value, raw, resource, call)
    check_metadata_types(value, resource, call)
    call.duplicates = duplicates
    return value


def _load_yaml(raw: bytes) -> Any:
    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise bad_request(f"error converting YAML to JSON: yaml: {error}") from None


def _load_json(raw: bytes, kind: str, duplicates: list[str]) -> Any:
    repeated = False

    def pairs(found: list[tuple[str, Any]]) -> Obj:
        nonlocal repeated
        made = dict(found)
        repeated |= len(made) != len(found)
        return made

    try:
        value = json.loads(raw, object_pairs_hook=pairs)
    except (json.JSONDecodeError, UnicodeDecodeError):
        why = f"couldn't get version/kind; json parse error: {go_json_error(raw)}"
        raise _unrecognized(kind, why, raw) from None
    if repeated:
        duplicates += duplicate_fields(raw)
    return value


class _Pairs(list[tuple[str, Any]]):
    """An object as pairs, so that repeated keys stay visible."""


def duplicate_fields(raw: bytes) -> list[str]:
    """The paths of the keys that come twice in one object."""
    found: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, _Pairs):
            seen = set()
            for key, inner in value:
                here = f"{path}.{key}" if path else key
                if key in seen:
                    found.append(here)
                seen.add(key)
                walk(inner, here)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, f"{path}[{index}]")

    walk(json.loads(raw, object_pairs_hook=_Pairs), "")
    return found


def check_kind(value: Obj, raw: bytes, resource: Resource, call: Call) -> None:
    """ApiError when the body's kind or apiVersion is not the resource's."""
    kind, api_version = value.get("kind") or "", value.get("apiVersion") or ""
    wanted = resource.api_version(call.version or None)
    if resource.custom:
        for field, found in (("Kind", kind), ("apiVersion", api_version)):
            if not found:
                why = f"Object '{field}' is missing in '{raw.decode(errors='replace')}'"
                raise _unrecognized(resource.kind, why, raw)
        if api_version != wanted:
            for field in sorted(value.keys() - {"kind", "apiVersion", "metadata"}):
                call.warn(f'unknown field "{field}"')
            raise bad_request(
                f"the API version in the data ({api_version}) does not match the expected API version ({wanted})"
            )
        if kind != resource.kind:
            name = (value.get("metadata") or {}).get("name", "")
            raise invalid(kind, resource.group, name, [invalid_value("kind", f'"{kind}"', f"must be {resource.kind}")])
        return
    if api_version not in ("", wanted):
        short = api_version.rpartition("/")[2]
        raise bad_request(
            f'{kind} in version "{short}" cannot be handled as a {resource.kind}: no kind "{kind}" is registered for '
            f'version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    if kind not in ("", resource.kind):
        version = wanted.rpartition("/")[2]
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {resource.kind}: converting ({version}.{kind}) to '
            f"({resource.group.partition('.')[0] or 'core'}.{resource.kind}): unknown conversion"
        )


def check_metadata_types(value: Obj, resource: Resource, call: Call) -> None:
    """ApiError 400 when metadata, labels or annotations are not what JSON decoding takes."""
    version = call.version or resource.version
    prefix = f'{resource.kind} in version "{version}" cannot be handled as a {resource.kind}: json: cannot unmarshal '
    meta = value.get("metadata", {})
    if meta is None:
        value["metadata"] = meta = {}
    if not isinstance(meta, dict):
        raise bad_request(f"{prefix}{_KINDS[type(meta)]} into Go value of type v1.ObjectMeta")
    for field in ("labels", "annotations"):
        found = meta.get(field)
        if found is None:
            continue
        owner = "ObjectMeta" if resource.custom else "ObjectMeta.metadata"
        where = f"into Go struct field {owner}.{field} of type"
        if not isinstance(found, dict):
            raise bad_request(f"{prefix}{_KINDS[type(found)]} {where} map[string]string")
        for inner in found.values():
            if not isinstance(inner, str):
                raise bad_request(f"{prefix}{_KINDS[type(inner)]} {where} string")
    for field in ("data", "stringData"):
        found = value.get(field)
        if resource.plural == "configmaps" and isinstance(found, dict):
            for inner in found.values():
                if not isinstance(inner, str):
                    raise bad_request(
                        f"{prefix}{_KINDS[type(inner)]} into Go struct field {resource.kind}.{field} of type string"
                    )


__all__ = ["METADATA_ORDER", "decode_object_body", "duplicate_fields", "go_json_error", "read_body", "unsupported"]
