# SPDX-License-Identifier: Apache-2.0
"""The recorded facts on disk. What most objects of a kind have in common is said once, in ``common.json``.

An object of a recording has what differs from that; ``null`` takes a common fact away.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from .names import Obj

DATA = Path(__file__).parent / "data"
COMMON = DATA / "common.json"


def stored_facts(recording: str) -> Obj:
    common = json.loads(COMMON.read_text())
    facts: Obj = json.loads((DATA / f"{recording}.json").read_text())
    for name, own in facts["objects"].items():
        merged = {**common[_group(name)], **own}
        facts["objects"][name] = {path: value for path, value in merged.items() if value is not None}
    return facts


def store(recordings: dict[str, Obj]) -> None:
    counted: dict[str, dict[str, Counter[str]]] = {}
    sizes: Counter[str] = Counter()
    for facts in recordings.values():
        for name, own in facts["objects"].items():
            sizes[_group(name)] += 1
            for path, value in own.items():
                counted.setdefault(_group(name), {}).setdefault(path, Counter())[json.dumps(value)] += 1
    common: dict[str, Obj] = {}
    for group, paths in counted.items():
        most = {path: values.most_common(1)[0] for path, values in paths.items()}
        common[group] = {path: json.loads(value) for path, (value, count) in most.items() if count * 2 > sizes[group]}
    COMMON.write_text(_text(common))
    for recording, facts in recordings.items():
        objects = {name: _own(own, common[_group(name)]) for name, own in facts["objects"].items()}
        (DATA / f"{recording}.json").write_text(_text({**facts, "objects": objects}))


def _group(name: str) -> str:
    """Kind, and whether it is the first of its VM: first pods are of other make than target pods."""
    kind, _, number = name.split(" ") if name.count(" ") == 2 else (*name.split(" "), "")
    return f"{kind} 1" if number == "1" else kind


def _own(facts: Obj, common: Obj) -> Obj:
    own = {path: value for path, value in facts.items() if path not in common or common[path] != value}
    return own | {path: None for path in common if path not in facts}


def _text(value: Obj, depth: int = 2, indent: str = "") -> str:
    """One line a fact, so that changes can be read."""
    if depth == 0 or not value:
        return json.dumps(value)
    inner = indent + " "
    lines = [
        f"{inner}{json.dumps(key)}: {_text(item, depth - 1, inner) if isinstance(item, dict) else json.dumps(item)}"
        for key, item in value.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + indent + "}" + ("" if indent else "\n")
