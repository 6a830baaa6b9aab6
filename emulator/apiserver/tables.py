# SPDX-License-Identifier: Apache-2.0
"""Tables and partial metadata: the forms that kubectl asks for."""

from __future__ import annotations

import re
from typing import Any

from .columns import AGE, NAME
from .durations import age
from .objects import Obj
from .registry import Column, Resource

_FILTER = re.compile(r"\[\?\(@\.(?P<key>\w+)==['\"](?P<value>[^'\"]*)['\"]\)\]$")
_INDEX = re.compile(r"\[(?P<index>\d+)\]$")


def json_path(obj: Any, path: str) -> Any:
    """The value at a printer column's path: ``.a.b``, ``.a[0].b`` and ``.a[?(@.type=='X')].b``; None when absent."""
    for step in _steps(path):
        chosen = _FILTER.search(step) or _INDEX.search(step)
        field = step[: chosen.start()] if chosen else step
        if field:
            obj = obj.get(field) if isinstance(obj, dict) else None
        if chosen and isinstance(obj, list):
            obj = _choose(obj, chosen)
        elif chosen:
            return None
        if obj is None:
            return None
    return obj


def _steps(path: str) -> list[str]:
    return re.split(r"\.(?![^\[]*\])", path.lstrip("."))


def _choose(items: list[Any], chosen: re.Match[str]) -> Any:
    groups = chosen.groupdict()
    if "index" in groups:
        index = int(groups["index"])
        return items[index] if index < len(items) else None
    return next((i for i in items if isinstance(i, dict) and i.get(groups["key"]) == groups["value"]), None)


def cell(column: Column, obj: Obj) -> Any:
    """What a column shows of an object."""
    value = column.value(obj) if callable(column.value) else json_path(obj, column.value)
    if column.type == "date":
        return age(value)
    if value is None:
        return "" if column.type == "string" else None
    if column.type == "string" and not isinstance(value, (str, int)):
        return str(value)
    return value


def definitions(resource: Resource) -> list[Obj]:
    """``columnDefinitions`` of a resource's table."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description or f"Shows {_described(column)}",
            "priority": column.priority,
        }
        for column in columns_of(resource)
    ]


def columns_of(resource: Resource) -> tuple[Column, ...]:
    return resource.columns or (NAME, AGE)


def _described(column: Column) -> str:
    return column.value if isinstance(column.value, str) else column.name


def partial_metadata(obj: Obj, version: str = "v1") -> Obj:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }


def row(resource: Resource, obj: Obj, include: str, version: str = "v1") -> Obj:
    """One row; ``include`` is Metadata, Object or None, as the query parameter says."""
    shown: Obj | None = None if include == "None" else partial_metadata(obj, version)
    if include == "Object":
        shown = obj
    return {"cells": [cell(column, obj) for column in columns_of(resource)], "object": shown}


def table(resource: Resource, objects: list[Obj], metadata: Obj, include: str, version: str = "v1") -> Obj:
    """A whole Table."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": definitions(resource),
        "rows": [row(resource, obj, include, version) for obj in objects],
    }
