# SPDX-License-Identifier: Apache-2.0
"""What of a history must be the same on the real control plane and on the embedded one.

A history is a list of (event, kind, object). Of each object every field is kept with the sequence of its values, so
that it does not matter how two writers interleave; what does matter across objects is in :mod:`.order`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from . import normal, order
from .fields import flat
from .names import VM, VMI, Entry, Obj, Words, in_order

ABSENT = None


def facts_of(history: Iterable[Entry]) -> Obj:
    entries = in_order(history)
    words = Words(entries)
    objects = _versions(entries)
    return {
        "objects": {words.called[uid]: _sequences(kind, versions, words) for uid, (kind, versions) in objects.items()},
        "generations": _generations(objects),
        "events": _events(entries, words),
        "order": order.orders_of(entries, words),
    }


def _versions(entries: list[Entry]) -> dict[str, tuple[str, list[tuple[str, Obj]]]]:
    found: dict[str, tuple[str, list[tuple[str, Obj]]]] = {}
    for event, kind, obj in entries:
        if kind != "Event":
            found.setdefault(obj["metadata"]["uid"], (kind, []))[1].append((event, obj))
    return found


def _sequences(kind: str, versions: list[tuple[str, Obj]], words: Words) -> Obj:
    flats = [flat(obj) for event, obj in versions if event != "DELETED"]
    found: Obj = {}
    for path in sorted({path for version in flats for path in version if not normal.is_left_out(kind, path)}):
        values = normal.lasting(kind, path, [version.get(path, ABSENT) for version in flats])
        found[words.say(path)] = words.say(_changes(values))
    found["deleted"] = [versions[-1][0] == "DELETED"]
    return {path: values[0] if len(values) == 1 else values for path, values in found.items()}


def _changes(values: list[Any]) -> list[Any]:
    """Each value once for every time that it begins to hold."""
    return [value for index, value in enumerate(values) if index == 0 or values[index - 1] != value]


def _generations(objects: dict[str, tuple[str, list[tuple[str, Obj]]]]) -> Obj:
    """Of each kind: the parts of an object whose changes, and no others, raise metadata.generation by one."""
    found = {}
    for kind in (VM, VMI):
        updates = []
        for seen, versions in objects.values():
            live = [obj for event, obj in versions if seen == kind and event != "DELETED"]
            updates += [pair for pair in itertools.pairwise(live) if pair[0] != pair[1]]
        rules = (("spec",), ("spec", "status"))
        held = [rule for rule in rules if all(_obeys(rule, *update) for update in updates)]
        found[kind] = list(held[0]) if held else "no rule"
    return found


def _obeys(rule: tuple[str, ...], old: Obj, new: Obj) -> bool:
    parts = any(old.get(part) != new.get(part) for part in rule)
    ends = ("deletionTimestamp" in new["metadata"]) != ("deletionTimestamp" in old["metadata"])
    return bool(new["metadata"]["generation"] - old["metadata"]["generation"] == int(parts or ends))


def _events(entries: list[Entry], words: Words) -> Obj:
    """Of each object and component, what was said, in the order of the first time."""
    found: dict[str, dict[str, None]] = {}
    for event, kind, obj in entries:
        component = obj.get("reportingComponent") or (obj.get("source") or {}).get("component", "")
        if kind != "Event" or event == "DELETED" or component in normal.STAND_IN_COMPONENTS:
            continue
        about = words.called.get(obj["involvedObject"]["uid"], obj["involvedObject"]["kind"])
        said = f"{obj['type']} {obj['reason']}: {obj['message']}"
        found.setdefault(f"{about} by {component}", {})[words.say(said)] = None
    return {key: normal.in_any_order(list(said)) for key, said in sorted(found.items())}


def differences(seen: Any, recorded: Any, path: str = "") -> dict[str, str]:
    """Of each fact that differs: what was seen, and what was recorded."""
    if isinstance(seen, dict) and isinstance(recorded, dict):
        found: dict[str, str] = {}
        for key in sorted(seen.keys() | recorded.keys()):
            found |= differences(seen.get(key), recorded.get(key), f"{path}/{key}" if path else key)
        return found
    return {} if seen == recorded else {path: f"seen {seen}, recorded {recorded}"}
