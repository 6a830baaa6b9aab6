# SPDX-License-Identifier: Apache-2.0
"""Noise by chance, in which a good run must stay good: states that come late or twice, new fields."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence

from tests.detection.deviations import KINDS, Line, evidence, full_states, rebuilt

Noise = Callable[[list[Line], random.Random], list[Line]]


def late(lines: list[Line], chance: random.Random) -> list[Line]:
    """A state arrives after the next one of its object, as when a list was quicker than a watch."""
    states = full_states(lines)
    pairs = [
        (at, after)
        for at, after in zip(list(states), list(states)[1:], strict=False)
        if states[at][3:5] == states[after][3:5] and states[at][2] == states[after][2] == "MODIFIED"
    ]
    one, other = chance.choice(pairs)
    earlier, later = states[one], states[other]
    swapped = {one: [*earlier[:2], *later[2:]], other: [*later[:2], *earlier[2:]]}
    return rebuilt(lines, states | swapped, {})


def repeated(lines: list[Line], chance: random.Random) -> list[Line]:
    """A state arrives once more."""
    states = full_states(lines)
    again = chance.choice(list(states))
    place = max(states)
    found = rebuilt(lines, states, {})
    extra = rebuilt([*lines[: place + 1], {"state": []}], states | {place + 1: _at(states[again], states[place])}, {})
    return [*found[: place + 1], extra[-1], *found[place + 1 :]]


def new_field(lines: list[Line], chance: random.Random) -> list[Line]:
    """KubeVirt tells something in a status that it did not before, from some state on."""
    states, name, part = full_states(lines), f"field{chance.randrange(100)}", "status"
    kind = chance.choice(KINDS)
    mine = [at for at, state in states.items() if state[3] == kind and part in state[-1]]
    chosen = mine[chance.randrange(len(mine)) :]
    changed = {at: copy.deepcopy(states[at][-1]) for at in chosen}
    value = {"value": chance.randrange(9)}
    for item in changed.values():
        item[part][name] = value
    return rebuilt(lines, states, changed)


def _at(state: Sequence[object], moment: Sequence[object]) -> list[object]:
    return [*moment[:2], *state[2:]]


KINDS_OF_NOISE: tuple[Noise, ...] = (late, repeated, new_field)


def draw_noise(count: int, seed: int) -> list[tuple[str, list[Line]]]:
    """As many noises: what each is, and the evidence with it."""
    chance = random.Random(seed)  # noqa: S311
    found = []
    for _ in range(count):
        noise = chance.choice(KINDS_OF_NOISE)
        found.append((noise.__name__, noise(list(evidence()), chance)))
    return found
