# SPDX-License-Identifier: Apache-2.0
"""Recorded flows of a control plane: all fields of all states of one VM, its VMI, pods and migrations.

A folder has a file ``flows.yaml`` and one ``<flow>.jsonl.gz`` for each flow. A line of these is one watch event:
``[second, type, kind, name, difference]``; the difference is a merge patch to the preceding state of the object, or to
the newest object of its kind. ``flows.yaml`` has for each flow ``edits`` of the VM ``vm1``, each ``[second, NIC,
network]``; ``record``, the second of the record to compare with, where it is before the first edit; ``until``, the
second at which it is cut; and ``red``, patterns of what the comparison of everything finds,
without which it must find nothing.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from livenad.api.history import History
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI, Object
from livenad.changes import NetworkChange, network_change
from livenad.errors import BadInput
from livenad.invariants.comparison import Comparison
from livenad.invariants.judge_api import compare_api
from livenad.model import GuestLogin, VmRecord

TABLE = "flows.yaml"
RECORDED_VM = "vm1"
KINDS = {kind.name: kind for kind in (VM, VMI, MIGRATION, POD, EVENT)}

State = tuple[float, str, str, str, Object]
"""Second, type, kind, name, object."""


@dataclass
class Replayed:
    """A history, and the place in it of the record: the first edit, where there is no earlier one."""

    history: History
    index: int = 0
    at: float = 0.0
    edits: list[NetworkChange] = field(default_factory=list)

    def compare(self) -> Comparison:
        """Everything that the API showed since the record."""
        return compare_api(self.history, RECORDED_VM, self.index, self.at, self.edits)


@cache
def table(folder: Path) -> dict[str, dict[str, Any]]:
    """The flows of a folder by name. BadInput for a table that is none."""
    try:
        found = yaml.safe_load((folder / TABLE).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{folder / TABLE} cannot be read: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(one, dict) and "edits" in one for one in found.values()):
        raise BadInput(f"{folder / TABLE}: expected flows by name, each with edits: [[second, NIC, network], ...]")
    return found


@cache
def _states(folder: Path, name: str) -> tuple[tuple[float, str, str, str, str], ...]:
    """The states with their objects as JSON, from which a copy is made many times faster than from an object."""
    last: dict[tuple[str, str], Object] = {}
    newest: dict[str, Object] = {}
    states = []
    until = table(folder)[name].get("until", 1e9)
    for line in gzip.decompress((folder / f"{name}.jsonl.gz").read_bytes()).decode().splitlines():
        second, type_, kind, title, difference = json.loads(line)
        base = last.get((kind, title)) or newest.get(kind)
        item = difference if base is None else _merged(base, difference)
        last[kind, title] = newest[kind] = item
        if second <= until:
            states.append((second, type_, kind, title, json.dumps(item)))
    return tuple(states)


def states_of(folder: Path, name: str) -> list[State]:
    """Every state of a flow, oldest first; the objects are the caller's own."""
    return [(*state[:4], json.loads(state[4])) for state in _states(folder, name)]


def replay(folder: Path, name: str, alter: Callable[[list[State]], Sequence[State]] = list) -> Replayed:
    """A history of a flow, with the edits of its VM as they were made; ``alter`` changes its states first."""
    edits = [tuple(edit) for edit in table(folder)[name]["edits"]]
    recorded = table(folder)[name].get("record", edits[0][0])
    now = 0.0
    history = History(clock=lambda: now)
    done = Replayed(history)
    for second, type_, kind, _, item in alter(states_of(folder, name)):
        if second > recorded and not done.index:
            done.at, done.index = recorded, len(history)
        while edits and second > edits[0][0]:
            _edit(done, *edits.pop(0))
        now = second
        history.append(KINDS[kind], type_, item)
    return done


def unlike_the_table(folder: Path, name: str) -> Iterator[str]:
    """What the comparison of everything says of a flow and the table does not, or the reverse; nothing when it fits."""
    causes = table(folder)[name].get("red", [])
    findings = [str(one) for one in replay(folder, name).compare().findings]
    for line in findings:
        if not any(re.search(cause, line) for cause in causes):
            yield f"found: {line}"
    for cause in causes:
        if not any(re.search(cause, line) for line in findings):
            yield f"not found: {cause}"


def _edit(done: Replayed, at: float, nic: str, network: str) -> None:
    vmi = done.history.current(VMI, RECORDED_VM) or {}
    record = VmRecord(RECORDED_VM, str(vmi["metadata"]["namespace"]), GuestLogin("", "", "", ""), [])
    change = network_change(done.history, record, nic, network)
    before = [edit for edit in done.edits if edit.nic == nic]
    change.old_network = before[-1].new_network if before else change.old_network
    change.at = at
    done.edits.append(change)


def _merged(base: Object, difference: Object) -> Object:
    merged = dict(base)
    for key, value in difference.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged
