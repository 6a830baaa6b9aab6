# SPDX-License-Identifier: Apache-2.0
"""JSON patches that contain only a controller's own changes, and fail if another client changed the same fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Obj = dict[str, Any]


def pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def changes(old: Obj, new: Obj, sections: Iterable[tuple[str, ...]]) -> list[Obj]:
    """Operations that turn ``old`` into ``new`` for the keys directly under each section, such as ``("status",)``.

    Each replaced or removed value is tested first. An added value cannot be tested, so the object's resourceVersion is
    tested instead.
    """
    tests: list[Obj] = []
    operations: list[Obj] = []
    versioned = False
    for section in sections:
        before, after = _section(old, section), _section(new, section)
        if before is None and after:
            versioned = True
            operations.append({"op": "add", "path": pointer(*section), "value": after})
            continue
        before, after = before or {}, after or {}
        for key in sorted(before.keys() | after.keys()):
            path = pointer(*section, key)
            if key not in after:
                tests.append({"op": "test", "path": path, "value": before[key]})
                operations.append({"op": "remove", "path": path})
            elif key not in before:
                versioned = True
                operations.append({"op": "add", "path": path, "value": after[key]})
            elif before[key] != after[key]:
                tests.append({"op": "test", "path": path, "value": before[key]})
                operations.append({"op": "replace", "path": path, "value": after[key]})
    if not operations:
        return []
    if versioned:
        version = old["metadata"]["resourceVersion"]
        tests = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}]
    return tests + operations


def _section(obj: Obj, section: tuple[str, ...]) -> Obj | None:
    found: Any = obj
    for part in section:
        found = found.get(part)
        if found is None:
            return None
    return dict(found)
