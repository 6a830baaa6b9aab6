# SPDX-License-Identifier: Apache-2.0
"""Defects by chance on the embedded cluster: one thing goes wrong in it, and P0 runs.

Drawn are a field of VM, VMI, pod or migration from the paths in the recordings, a property of the guest, or a kind of
frame. Nothing here knows what is judged.
"""

from __future__ import annotations

import copy
import json
import random
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from emulator.dataplane.detour import HOW as WAYS
from emulator.dataplane.detour import KINDS as FRAMES
from emulator.deviations.fields import alter, get, put, translated
from tests.detection.deviations import HOW, KINDS, VM, evidence, full_states, guest_paths, paths
from tests.detection.guest_changes import DEVICES, HARMLESS, change_of, properties

LATE_FRAMES = (0.3, 1.0, 3.0)
LATE_WRITES = (1.0, 5.0, 60.0)
GROUPS: dict[str, str | tuple[str, ...]] = {
    "kernel": "sysctl.",
    "interface": "interface[",
    "address": "address[",
    "route": ("route", "rule"),
}
BUSY = (
    "api-fails-now-and-then",
    "api-is-unavailable-now-and-then",
    "api-throttles",
    "api-is-slow",
    "watches-expire",
    "edits-conflict",
    "streams-are-cut",
    "guest-clock-is-wrong",
    "consoles-are-dead",
)
"""Defects of the lab in spite of which P0 must pass; the table of detection says so of each."""

OF_IPV4 = sorted(set(FRAMES) - {"IPv6"})
"""P0's guests have no IPv6 addresses."""

NICS = tuple(DEVICES.values())


@dataclass(frozen=True)
class Drawn:
    """What goes wrong, in words, and as the embedded cluster takes it; None: there is nothing of the kind.

    ``defect`` is the name of an ordinary one in its place.
    """

    title: str
    what: dict[str, Any] | None = field(hash=False)
    defect: str = ""


def draw(count: int, seed: int) -> list[Drawn]:
    """As many. Objects, guest and frames are equally likely; so is each kind of them, of a kind each path, and each way
    in which it can go wrong.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [chance.choice((_field, _guest, _frames))(random.Random(chance.randrange(2**31))) for _ in range(count)]  # noqa: S311


def draw_noise(count: int, seed: int) -> list[Drawn]:
    """As many things that may happen at any time, of all kinds equally."""
    chance = random.Random(seed)  # noqa: S311
    kinds = (_added_field, _written_again, _late_field, _harmless, _poor_network, _busy_api)
    return [chance.choice(kinds)(random.Random(chance.randrange(2**31))) for _ in range(count)]  # noqa: S311


def _noise_field(chance: random.Random, path: tuple[str, ...], how: str, seconds: float = 0.0) -> Drawn:
    kind, write = chance.choice(KINDS), chance.randint(1, 3)
    detail = {"kind": kind, "path": path, "how": how, "write": write, "seconds": seconds}
    detail |= {"times": 20} if how == "added" else {}
    after = f" {seconds:g} s later" if seconds else ""
    return Drawn(f"{kind} {'.'.join(path)} {how}, at its {_nth(write)} write{after}", {"field": detail})


def _added_field(chance: random.Random) -> Drawn:
    """A field that KubeVirt may add tomorrow, or the label of a foreign owner."""
    name = f"odd{chance.randrange(100)}"
    owner = ("metadata", chance.choice(("labels", "annotations")), f"example.com/{name}")
    return _noise_field(chance, chance.choice((("status", name), owner)), "added")


def _written_again(chance: random.Random) -> Drawn:
    return _noise_field(chance, (), "touched", chance.choice((0.1, 1.0, 5.0)))


def _late_field(chance: random.Random) -> Drawn:
    """A condition or the time of one is written a little later."""
    path = ("status", "conditions", chance.choice(("[Ready]", "[AgentConnected]")), "lastTransitionTime")
    return _noise_field(chance, path, "delayed", 0.3)


def _harmless(chance: random.Random) -> Drawn:
    script = chance.choice(HARMLESS)
    return Drawn(f"guest: {script}", {"guest": {"command": ["sh", "-c", f"{script}; echo done"]}})


def _poor_network(chance: random.Random) -> Drawn:
    """Frames come a little late."""
    found = _frames(chance).what or {}
    detail = found["frames"] | {"how": "delayed", "seconds": 0.02}
    way = "to" if detail["to_guest"] else "from"
    return Drawn(f"frames {detail['kind']} {way} the guest at {detail['nic']} delayed by 0.02 s", {"frames": detail})


def _busy_api(chance: random.Random) -> Drawn:
    defect = chance.choice(BUSY)
    return Drawn(f"defect {defect}", {}, defect)


def _field(chance: random.Random) -> Drawn:
    kind = chance.choice(KINDS)
    path = chance.choice(sorted(paths()[kind]))
    how = chance.choice(HOW)
    detail: dict[str, Any] = {"kind": kind, "path": path, "how": how, "seed": chance.randrange(2**31)}
    write, times, late = chance.randint(1, 3), chance.choice((1, 20)), chance.choice(LATE_WRITES)
    manner = f"{how} by {late:g} s" if how == "delayed" else f"{how}, from its {_nth(write)} write {times} times"
    detail |= {"write": write, "seconds": late} | ({} if how == "delayed" else {"times": times})
    title = f"{kind} {'.'.join(path)} {manner}"
    return Drawn(title, {"field": detail} if _makes_a_difference(kind, path, how, detail["seed"]) else None)


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}[number]


def _guest(chance: random.Random) -> Drawn:
    groups: dict[str, list[str]] = {}
    for path in (*properties(), *(steps[0] for _, steps in guest_paths())):
        groups.setdefault(next((name for name, start in GROUPS.items() if path.startswith(start)), ""), []).append(path)
    path = chance.choice(sorted(set(groups[chance.choice(sorted(groups))])))
    late = chance.random() < 0.3
    change = change_of(path, chance, late=late)
    said = f": {change['command'][-1].partition('; do')[0]}" if change and "command" in change else ""
    title = f"guest {path} changed{' 2 s later' if late else ''}{said}"
    return Drawn(title, {"guest": change} if change else None)


def _frames(chance: random.Random) -> Drawn:
    nic, to_guest, kind = chance.choice(NICS), chance.random() < 0.5, chance.choice(OF_IPV4)
    how, seconds = chance.choice(WAYS), chance.choice(LATE_FRAMES)
    other = chance.choice([name for name in NICS if name != nic])
    manner = {"delayed": f" by {seconds:g} s", "astray": f" with {other}"}.get(how, "")
    title = f"frames {kind} {'to' if to_guest else 'from'} the guest at {nic} {how}{manner}"
    detail = {"nic": nic, "to_guest": to_guest, "kind": kind, "how": how, "seconds": seconds, "nic_astray": other}
    return Drawn(title, {"frames": detail})


@cache
def _recorded(kind: str) -> tuple[Any, ...]:
    """All states of the objects of a kind that concern the VM in a run in which everything was right."""
    return tuple(
        state[-1]
        for state in full_states(evidence()).values()
        if state[3] == kind and re.search(rf'"{VM}"', json.dumps(state[-1]))
    )


def _makes_a_difference(kind: str, path: tuple[str, ...], how: str, seed: int) -> bool:
    for item in _recorded(kind):
        altered = copy.deepcopy(item)
        place = translated(altered, path, random.Random(seed))  # noqa: S311
        if how == "delayed":
            put(altered, place, None)
        else:
            alter(altered, place, how)
        if altered != item and get(item, place) is not None:
            return True
    return False


def described(drawn: Drawn, report: Path) -> str:
    """The name of the defect for ``--defect``."""
    return drawn.defect or "deviation=" + json.dumps({"vm": VM, "report": str(report), **(drawn.what or {})})
