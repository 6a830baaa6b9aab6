# SPDX-License-Identifier: Apache-2.0
"""JSON patch and merge patch, as the real server applies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emulator.kube.errors import ApiError

from .objects import Obj, clone
from .status_errors import bad_request

MAX_JSON_PATCH_OPERATIONS = 10000


def rejected() -> ApiError:
    """The real server's error for a JSON patch that does not apply."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def json_patch(obj: Obj, operations: Sequence[Obj]) -> Obj:
    """RFC 6902 but for two habits of the real server: replacing an absent key adds it, and testing one for null passes.

    ApiError 422 when an operation cannot be applied, 413 when there are too many.
    """
    if len(operations) > MAX_JSON_PATCH_OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is {MAX_JSON_PATCH_OPERATIONS}, "
            f"got {len(operations)}",
        )
    document: Any = clone(obj)
    for operation in operations:
        if not isinstance(operation, dict):
            raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type handlers.jsonPatchOp")
        document = _apply(document, operation)
    if not isinstance(document, dict):
        raise rejected()
    return document


def _apply(document: Any, operation: Obj) -> Any:
    kind = operation.get("op")
    path = _split(operation.get("path"))
    if kind in ("add", "replace"):
        return _put(document, path, clone(operation.get("value")), insert=kind == "add")
    if kind == "remove":
        return _remove(document, path)
    if kind == "test":
        if _read(document, path, absent_ok=True) != operation.get("value"):
            raise rejected()
        return document
    if kind in ("copy", "move"):
        source = _split(operation.get("from"))
        value = clone(_read(document, source))
        if kind == "move":
            document = _remove(document, source)
        return _put(document, path, value, insert=True)
    raise rejected()


def _split(path: Any) -> list[str]:
    if path == "":
        return []
    if not isinstance(path, str) or not path.startswith("/"):
        raise rejected()
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _index(items: list[Any], part: str, limit: int) -> int:
    try:
        index = int(part)
    except ValueError:
        raise rejected() from None
    if index < 0:
        index += len(items)
    if not 0 <= index < limit:
        raise rejected()
    return index


def _step(value: Any, part: str) -> Any:
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list):
        return value[_index(value, part, len(value))]
    raise rejected()


def _parent(document: Any, path: list[str]) -> Any:
    for part in path[:-1]:
        document = _step(document, part)
    return document


def _read(document: Any, path: list[str], *, absent_ok: bool = False) -> Any:
    if not path:
        return document
    parent = _parent(document, path)
    if absent_ok and isinstance(parent, dict):
        return parent.get(path[-1])
    return _step(parent, path[-1])


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, last = _parent(document, path), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        if last == "-" and insert:
            parent.append(value)
        elif insert:
            parent.insert(_index(parent, last, len(parent) + 1), value)
        else:
            parent[_index(parent, last, len(parent))] = value
    else:
        raise rejected()
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise rejected()
    parent, last = _parent(document, path), path[-1]
    if isinstance(parent, dict) and last in parent:
        del parent[last]
    elif isinstance(parent, list):
        del parent[_index(parent, last, len(parent))]
    else:
        raise rejected()
    return document


def merge_patch(obj: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return clone(patch)
    merged = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
