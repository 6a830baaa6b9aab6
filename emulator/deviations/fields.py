# SPDX-License-Identifier: Apache-2.0
"""Fields of an object by their path, and what can go wrong with one. Pure; objects are changed in place.

A path is a sequence of steps. ``[name]`` is the entry of a list that has this name, type or interface, ``[]`` any
other one.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all plain values; names of a map that differ from object to object stay as they are."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for entry in value:
            yield from leaves(entry, (*path, step_of(entry)))
    elif value is not None:
        yield path


def step_of(entry: Any) -> str:
    """The step to an entry of a list."""
    if isinstance(entry, dict):
        for key in ("name", "type", "interface"):
            if isinstance(entry.get(key), str):
                return f"[{entry[key]}]"
    return "[]"


def translated(item: Any, path: Path, chance: random.Random) -> Path:
    """The path in this object: an entry of a list that is not there by its name is any that is."""
    found = []
    for step in path:
        if isinstance(item, list) and item and find(item, step) is None:
            step = step_of(chance.choice(item))  # noqa: PLW2901
        found.append(step)
        key = find(item, step)
        item = item[key] if key is not None else None
    return tuple(found)


def find(holder: Any, step: str) -> Any:
    """Key or index of a step, None where it leads nowhere."""
    if isinstance(holder, list):
        return next((place for place, entry in enumerate(holder) if step_of(entry) == step), None)
    return step if isinstance(holder, dict) and step in holder else None


def get(item: Any, path: Path) -> Any:
    """The value at a path, None where it leads nowhere."""
    for step in path:
        if (key := find(item, step)) is None:
            return None
        item = item[key]
    return item


def put(item: Any, path: Path, value: Any) -> None:
    """Set a value; None removes it. Nothing happens where the way to it is not there."""
    holder = get(item, path[:-1])
    key = find(holder, path[-1])
    if key is None:
        if isinstance(holder, dict) and value is not None and not path[-1].startswith("["):
            holder[path[-1]] = value
    elif value is None:
        del holder[key]
    else:
        holder[key] = value


def alter(item: Any, path: Path, how: str) -> None:
    """Make one value wrong: ``how`` is changed, dropped or doubled; or ``added``, where there is none."""
    value = get(item, path)
    if how == "added":
        put(item, path, value or "odd")
    elif how == "dropped":
        put(item, path, None)
    elif how == "changed":
        put(item, path, another(value))
    else:
        _double(item, path)


def another(value: Any) -> Any:
    """A value of the same kind that it is not."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}-odd" if value is not None else None


def _double(item: Any, path: Path) -> None:
    """The innermost list on the way gets its entry twice; a value that is in no list is doubled itself."""
    for length in range(len(path), 0, -1):
        if path[length - 1].startswith("["):
            holder = get(item, path[: length - 1])
            entry = get(item, path[:length])
            if isinstance(holder, list) and entry is not None:
                holder.append(copy.deepcopy(entry))
            return
    value = get(item, path)
    if value is not None and not isinstance(value, bool):
        put(item, path, value * 2)
