# SPDX-License-Identifier: Apache-2.0
"""Defects by chance: one value of a run in which everything was right is made wrong, and the run is judged again.

The run is the evidence that a green P0 left (``tests/unit/data/evidence``): every state of the API that was recorded,
every sample of the probes, and what was read in the guest. What can be wrong is drawn uniformly from all paths of VM,
VMI, pods and migrations in the recordings of real control planes, from all values of the guest, and from the kinds of
frames of all probes. Nothing here knows what is judged.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from emulator.deviations.fields import Path as FieldPath
from emulator.deviations.fields import alter, another, get, leaves, put, translated

ROOT = Path(__file__).resolve().parents[2]
FLOWS = ROOT / "tests" / "unit" / "data" / "flows"
EVIDENCE = ROOT / "tests" / "unit" / "data" / "evidence" / "green-p0" / "verdicts.jsonl.gz"
KINDS = ("VirtualMachine", "VirtualMachineInstance", "VirtualMachineInstanceMigration", "Pod")
VM = "vm-under-test"
HOW = ("changed", "dropped", "doubled", "delayed")
FRAMES = ("dropped", "some dropped", "delayed", "answered on the wrong network")

Line = dict[str, Any]


@dataclass(frozen=True)
class Deviation:
    """One thing that is wrong: ``part`` is a kind of object, "guest" or "frames"."""

    part: str
    path: FieldPath
    how: str
    seed: int

    def __str__(self) -> str:
        return f"{self.part} {'.'.join(self.path)} {self.how}"

    @property
    def is_the_labs(self) -> bool:
        """Whether the VM under test has no part in it: frames between its peers."""
        return self.part == "frames" and not any(VM in step for step in self.path)


def draw(count: int, seed: int) -> list[Deviation]:
    """As many deviations: objects, guest and frames are equally likely, and each path of them, and each manner."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    objects = [(kind, path) for kind in KINDS for path in sorted(paths()[kind])]
    drawn = []
    for _ in range(count):
        part, path = chance.choice(chance.choice((objects, guest_paths(), frame_paths())))
        between_peers = part == "frames" and not any(VM in step for step in path)
        # A poor network between the peers is noise, not a defect.
        how = "dropped" if between_peers else chance.choice(FRAMES if part == "frames" else HOW)
        drawn.append(Deviation(part, path, how, chance.randrange(2**31)))
    return drawn


@cache
def evidence() -> list[Line]:
    """The lines of the evidence; they must not be changed."""
    return [json.loads(line) for line in gzip.decompress(EVIDENCE.read_bytes()).decode().splitlines()]


@cache
def paths() -> dict[str, set[FieldPath]]:
    """Every path of a plain value in the recordings, by kind."""
    found: dict[str, set[FieldPath]] = {kind: set() for kind in KINDS}
    for file in sorted(FLOWS.glob("*.jsonl.gz")):
        for line in gzip.decompress(file.read_bytes()).decode().splitlines():
            _, _, kind, _, change = json.loads(line)
            if kind in found:
                found[kind].update(leaves(change))
    return found


def guest_paths() -> list[tuple[str, FieldPath]]:
    """What was read in the guest at the end."""
    return [("guest", (path,)) for path in sorted(dict(_reading()["now"]["values"]["of"]))]


@cache
def frame_paths() -> list[tuple[str, FieldPath]]:
    """Each way of frames after the swap: source, target's address, protocol."""
    found = {_way(one) for verdict in _verdicts_after(evidence()) for one in series_of(verdict)}
    return [("frames", way) for way in sorted(found)]


def _verdicts_after(lines: Sequence[Line]) -> list[Line]:
    return [line["verdict"] for line in lines if "verdict" in line and line["verdict"]["now"] > _edited()]


def _way(series: Line) -> FieldPath:
    return (series["source"], f"to {series['target']} ({series['address']})", series["protocol"])


def series_of(value: Any) -> list[Line]:
    """The series in the arguments of a verdict, in their order."""
    if isinstance(value, dict):
        if str(value.get("$", "")).endswith(":Series"):
            return [value]
        return [one for inner in value.values() for one in series_of(inner)]
    return [one for inner in value for one in series_of(inner)] if isinstance(value, list) else []


def applied(deviation: Deviation) -> list[Line] | None:
    """The evidence with the deviation; None when it has no effect, as there is nothing of the kind to be wrong."""
    lines = evidence()
    chance = random.Random(deviation.seed)  # noqa: S311
    if deviation.part == "guest":
        return _of_guest(lines, deviation, chance)
    if deviation.part == "frames":
        return _of_frames(lines, deviation, chance)
    return _of_object(lines, deviation, chance)


def _of_object(lines: Sequence[Line], deviation: Deviation, chance: random.Random) -> list[Line] | None:
    states = full_states(lines)
    mine = [at for at, state in states.items() if state[3] == deviation.part and _belongs(state)]
    names = sorted({states[at][4] for at in mine})
    if not names:
        return None
    name = chance.choice(names)
    mine = [at for at in mine if states[at][4] == name]
    changed = {at: copy.deepcopy(states[at][-1]) for at in mine}
    path = translated(changed[mine[-1]], deviation.path, chance)
    if deviation.how == "delayed":
        _delay(changed, path)
    else:
        first = chance.randrange(len(mine))
        for at in mine[first:]:
            alter(changed[at], path, deviation.how)
    if all(changed[at] == states[at][-1] for at in mine):
        return None
    return rebuilt(lines, states, changed)


def _delay(states: dict[int, Any], path: FieldPath) -> None:
    """Each value comes one state of the object later than it did."""
    order = sorted(states)
    values = [get(states[at], path) for at in order]
    for at, before in zip(order[1:], values, strict=False):
        put(states[at], path, before)


def _of_guest(lines: Sequence[Line], deviation: Deviation, chance: random.Random) -> list[Line] | None:
    (path,) = deviation.path
    found = copy.deepcopy(list(lines))
    if deviation.how == "delayed":
        return None  # it was read once at the end: what comes later than that is as it was
    extra = f"{path}{chance.randrange(9)}"
    for line in found:
        for reading in _readings(line):
            values = dict(reading["now"]["values"]["of"])
            if deviation.how == "dropped":
                values.pop(path, None)
            elif deviation.how == "changed":
                values[path] = another(values.get(path, ""))
            else:
                values[extra] = values.get(path, "")
            reading["now"]["values"]["of"] = [[key, value] for key, value in values.items()]
    return found


def _of_frames(lines: Sequence[Line], deviation: Deviation, chance: random.Random) -> list[Line] | None:
    found = copy.deepcopy(list(lines))
    mine = [one for verdict in _verdicts_after(found) for one in series_of(verdict) if _way(one) == deviation.path]
    samples = [sample for one in mine for sample in one["samples"]["of"]]
    if deviation.how == FRAMES[-1] and any(sample["answered"] for sample in samples):
        return None  # it is the right network
    for sample in samples:
        _spoil(sample, deviation.how, chance)
    return None if found == list(lines) else found


def _spoil(sample: Line, how: str, chance: random.Random) -> None:
    if how == "dropped" or (how == "some dropped" and chance.random() < 0.5):
        sample["answered"] = False
    elif how == "delayed" and sample["answered"]:
        sample["known"] += 1.0
    elif how == "answered on the wrong network":
        sample["answered"] = True


def full_states(lines: Sequence[Line]) -> dict[int, list[Any]]:
    """Every state by the number of its line, with its whole object."""
    from livenad.rejudge.differences import applied as merged

    last: dict[tuple[str, str], Any] = {}
    newest: dict[str, Any] = {}
    found = {}
    for number, line in enumerate(lines):
        if "state" in line:
            *values, change = line["state"]
            item = merged(last.get((values[3], values[4])) or newest.get(values[3], {}), change)
            last[values[3], values[4]] = newest[values[3]] = item
            found[number] = [*values, item]
    return found


def rebuilt(lines: Sequence[Line], states: dict[int, list[Any]], changed: dict[int, Any]) -> list[Line]:
    """The lines with other objects: differences are made again."""
    from livenad.rejudge.differences import difference

    last: dict[tuple[str, str], Any] = {}
    newest: dict[str, Any] = {}
    found = []
    for number, line in enumerate(lines):
        if number in states:
            *values, item = states[number]
            item = changed.get(number, item)
            base = last.get((values[3], values[4])) or newest.get(values[3], {})
            last[values[3], values[4]] = newest[values[3]] = item
            line = {"state": [*values, difference(base, item)]}  # noqa: PLW2901
        found.append(line)
    return found


def _belongs(state: list[Any]) -> bool:
    """Whether a state came after the edit, of the VM under test or of what belongs to it."""
    item = state[-1]
    metadata = item.get("metadata", {})
    names = (metadata.get("name"), (metadata.get("labels") or {}).get("vm.kubevirt.io/name"))
    return state[0] > _edited() and VM in (*names, (item.get("spec") or {}).get("vmiName"))


def _readings(line: Line) -> list[Line]:
    return _typed(line.get("verdict", {}).get("arguments", []), ":Reading")


def _typed(value: Any, ending: str) -> list[Line]:
    if isinstance(value, dict):
        if str(value.get("$", "")).endswith(ending):
            return [value]
        return [one for inner in value.values() for one in _typed(inner, ending)]
    return [one for inner in value for one in _typed(inner, ending)] if isinstance(value, list) else []


@cache
def _reading() -> Line:
    return next(reading for line in reversed(evidence()) for reading in _readings(line))


@cache
def _edited() -> float:
    """When the network was changed (the clock of the evidence)."""
    verdicts = [line["verdict"].get("arguments", []) for line in evidence() if "verdict" in line]
    return min(float(one["at"]) for one in _typed(verdicts, ":NetworkChange"))
