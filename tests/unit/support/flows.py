# SPDX-License-Identifier: Apache-2.0
"""Whole recordings of the real control plane (``data/flows/``): all fields of all states of VM, VMI, pods, migrations.

A file has one watch event a line: ``[second, type, kind, name, difference]``. The difference is a merge patch to the
preceding state of the object, or to the newest object of its kind.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from livenad.api.history import History
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI
from livenad.changes import NetworkChange, network_change
from livenad.model import VmRecord

from tests.unit.support.topology import LOGIN

DATA = Path(__file__).parents[1] / "data" / "flows"
KINDS = {kind.name: kind for kind in (VM, VMI, MIGRATION, POD, EVENT)}

Object = dict[str, Any]
State = tuple[float, str, str, str, Object]
"""Second, type, kind, name, object."""


@dataclass
class Replayed:
    """A history, and the place in it of the first edit."""

    history: History
    index: int = 0
    at: float = 0.0
    edits: list[NetworkChange] = field(default_factory=list)


@cache
def table() -> dict[str, dict[str, Any]]:
    """The flows by name: ``edits``, ``red``, ``until``."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "flows.yaml").read_text(encoding="utf-8"))
    return found


@cache
def _states(name: str) -> tuple[State, ...]:
    last: dict[tuple[str, str], Object] = {}
    newest: dict[str, Object] = {}
    states: list[State] = []
    until = table()[name].get("until", 1e9)
    for line in gzip.decompress((DATA / f"{name}.jsonl.gz").read_bytes()).decode().splitlines():
        second, type_, kind, title, difference = json.loads(line)
        base = last.get((kind, title)) or newest.get(kind)
        item = difference if base is None else _merged(base, difference)
        last[kind, title] = newest[kind] = item
        if second <= until:
            states.append((second, type_, kind, title, item))
    return tuple(states)


def states_of(name: str) -> list[State]:
    """Every state of a flow, oldest first; the objects are the caller's own."""
    return [(second, type_, kind, title, copy.deepcopy(item)) for second, type_, kind, title, item in _states(name)]


def replay(name: str, alter: Callable[[list[State]], list[State]] = list) -> Replayed:
    """A history of a flow, with the edits of its VM recorded when they were made."""
    edits = [tuple(edit) for edit in table()[name]["edits"]]
    now = 0.0
    history = History(clock=lambda: now)
    done = Replayed(history)
    for second, type_, kind, _, item in alter(states_of(name)):
        while edits and second > edits[0][0]:
            done.at = done.at or edits[0][0]
            done.index = done.index or len(history)
            _edit(done, *edits.pop(0))
        now = second
        history.append(KINDS[kind], type_, item)
    return done


def _edit(done: Replayed, at: float, nic: str, network: str) -> None:
    vmi = done.history.current(VMI, "vm1") or {}
    record = VmRecord("vm1", str(vmi["metadata"]["namespace"]), LOGIN, [])
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
