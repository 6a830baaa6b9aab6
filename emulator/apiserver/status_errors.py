# SPDX-License-Identifier: Apache-2.0
"""The errors of the generic API server, with the real one's messages."""

from __future__ import annotations

from typing import Any

from emulator.kube.errors import ApiError

from .registry import Resource

Cause = dict[str, str]


def details(resource: Resource, name: str = "", **more: Any) -> dict[str, Any]:
    """``Status.details`` of a resource: name, group, kind, in the real server's order, without empty ones."""
    found: dict[str, Any] = {}
    if name:
        found["name"] = name
    if resource.group:
        found["group"] = resource.group
    found["kind"] = resource.plural
    return found | more


def not_found(resource: Resource, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{resource.key} "{name}" not found', details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{resource.key} "{name}" already exists', details(resource, name))


def generated_exists(resource: Resource, name: str) -> ApiError:
    error = already_exists(resource, name)
    error.message += ", the server was not able to generate a unique name for the object"
    return error


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource.key} "{name}": {why}'
    return ApiError(409, "Conflict", message, details(resource, name))


def modified(resource: Resource, name: str) -> ApiError:
    return conflict(
        resource, name, "the object has been modified; please apply your changes to the latest version and try again"
    )


def uid_differs(resource: Resource, key: tuple[str, str], wanted: str, found: str) -> ApiError:
    """The error of a PUT with another uid than the object's."""
    base = f"/{resource.group}" if resource.group else ""
    where = "/".join(part for part in (f"/registry{base}/{resource.plural}", *key) if part)
    return conflict(
        resource,
        key[1],
        f"StorageError: invalid object, Code: 4, Key: {where}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}",
    )


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def internal(message: str) -> ApiError:
    """A 500 as the real server sends it: with neither reason nor details."""
    return ApiError(500, "", message)


def forbidden(resource: Resource, name: str, why: str, **more: Any) -> ApiError:
    found = details(resource, name, **more)
    shown = f'{resource.key} "{name}"' if name else resource.key
    return ApiError(403, "Forbidden", f"{shown} is forbidden: {why}", found)


def too_old(asked: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def expired() -> ApiError:
    return ApiError(410, "Expired", "The resourceVersion for the provided list is too old.")


def cause(field: str, reason: str, message: str) -> Cause:
    """One entry of ``details.causes``."""
    return {"reason": reason, "message": message, "field": field}


def required(field: str, why: str = "") -> Cause:
    return cause(field, "FieldValueRequired", "Required value" + (f": {why}" if why else ""))


def invalid_value(field: str, value: str, why: str) -> Cause:
    """``value`` as it shall be printed: a string in double quotes, a number bare."""
    return cause(field, "FieldValueInvalid", f"Invalid value: {value}: {why}")


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> ApiError:
    """422 with one sentence for all causes; a cause given twice is said once and listed twice."""
    title = f"{kind}.{group}" if group else kind
    parts = list(dict.fromkeys(f"{c['field']}: {c['message']}" if c["field"] else c["message"] for c in causes))
    said = parts[0] if len(parts) == 1 else "[" + ", ".join(parts) + "]"
    found: dict[str, Any] = {}
    if name:
        found["name"] = name
    if group:
        found["group"] = group
    if kind:
        found["kind"] = kind
    found["causes"] = causes
    return ApiError(422, "Invalid", f'{title} "{name}" is invalid: {said}', found)


def invalid_object(resource: Resource, name: str, causes: list[Cause]) -> ApiError:
    return invalid(resource.kind, resource.group, name, causes)
