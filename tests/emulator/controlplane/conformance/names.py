# SPDX-License-Identifier: Apache-2.0
"""Stable words for what is named by chance: objects, uids, nodes, addresses and times of a recording."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Obj = dict[str, Any]
Entry = tuple[str, str, Obj]
VM, VMI, MIGRATION, POD = "VirtualMachine", "VirtualMachineInstance", "VirtualMachineInstanceMigration", "Pod"
OWNED_NAMES = {MIGRATION, POD}
SHAPES = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [-+]\d{4} UTC|Z)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\bnode-?\d+\b"), "<node>"),
    (re.compile(r"\b(10\.244|127\.0)\.\d+\.\d+\b"), "<address>"),
    (re.compile("lab asked for it"), "asked for"),
    (re.compile('(?<=pod readiness gate) "[^"]+"'), ""),
    (re.compile(r"virt-launcher:(lab|embedded)$"), "virt-launcher:<tag>"),
    (re.compile(r"\b02(:[0-9a-f]{2}){5}\b"), "<mac>"),
)


def in_order(history: Iterable[Entry]) -> list[Entry]:
    """Across kinds, as the API server wrote it: resource versions are one sequence, watches are several."""
    return sorted(history, key=lambda entry: int(entry[2]["metadata"]["resourceVersion"]))


class Words:
    """Calls every object by its kind, its VM and its number; ``say`` takes chance out of any value."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.called: dict[str, str] = {}
        self._replace: dict[str, str] = {}
        counted: dict[str, int] = {}
        for _, kind, obj in entries:
            meta = obj["metadata"]
            if kind == "Event" or meta["uid"] in self.called:
                continue
            owner = vm_of(kind, obj)
            number = counted[f"{kind} {owner}"] = counted.get(f"{kind} {owner}", 0) + 1
            word = self.called[meta["uid"]] = f"{kind} {owner} {number}" if kind != VM else f"{kind} {owner}"
            self._replace[meta["uid"]] = f"<uid of {word}>"
            if kind in OWNED_NAMES:
                self._replace[meta["name"]] = f"<{word}>"
            self._replace[meta["namespace"]] = "<namespace>"
        names = sorted(self._replace, key=len, reverse=True)
        self._known = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, names)) + r")(?![\w-])") if names else None

    def say(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.say(key): self.say(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.say(item) for item in value]
        if not isinstance(value, str):
            return value
        if self._known:
            value = self._known.sub(lambda found: self._replace[found[1]], value)
        for shape, word in SHAPES:
            value = shape.sub(word, value)
        return value


def vm_of(kind: str, obj: Obj) -> str:
    """The name of the VM that an object belongs to."""
    if kind == MIGRATION:
        return str(obj["spec"]["vmiName"])
    if kind == POD:
        return str(obj["metadata"]["labels"].get("vm.kubevirt.io/name", obj["metadata"]["name"]))
    return str(obj["metadata"]["name"])
