# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.detection --random N --seed S``: how many defects by chance P0 notices, and which it does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from livenad.rejudge.loading import Rejudged, rejudge, saved_of

from tests.detection.deviations import EVIDENCE, Deviation, Line, applied, draw, evidence
from tests.detection.noise import draw_noise

EXCLUDED = Path(__file__).parent / "excluded.yaml"
GOAL, MOST_EXCLUDED = 0.95, 0.15
NOTICED, UNNOTICED, WRONG_BLAME = "noticed", "unnoticed", "wrong blame"
NO_EFFECT, LEFT_OUT = "without effect", "excluded"


@dataclass(frozen=True)
class Exclusion:
    """Deviations that are not the feature's business: pattern of "part path how", and why."""

    pattern: str
    why: str


@dataclass(frozen=True)
class Tried:
    """A deviation, what came of it, and the first message about it."""

    deviation: Deviation
    outcome: str
    message: str = ""


@cache
def exclusions() -> tuple[Exclusion, ...]:
    """All of them."""
    return tuple(Exclusion(**entry) for entry in yaml.safe_load(EXCLUDED.read_text(encoding="utf-8")))


def tried(deviation: Deviation) -> Tried:
    """Judge the evidence with one deviation."""
    if any(re.fullmatch(one.pattern, str(deviation)) for one in exclusions()):
        return Tried(deviation, LEFT_OUT)
    lines = applied(deviation)
    if lines is None:
        return Tried(deviation, NO_EFFECT)
    red = [one.now for one in judged(lines) if one.now.status != "PASS"]
    right = [one for one in red if (one.status == "FAIL") != deviation.is_the_labs]
    if right:
        return Tried(deviation, NOTICED, right[0].message)
    return Tried(deviation, WRONG_BLAME, str(red[0])) if red else Tried(deviation, UNNOTICED)


def judged(lines: Sequence[Line]) -> Iterator[Rejudged]:
    """Every verdict of the evidence, made of these lines."""
    return rejudge(saved_of(EVIDENCE, list(lines)))


def report(count: int, seed: int) -> int:
    """Print share and list; 0 when the goal is reached and no more is excluded than may be."""
    found = [tried(deviation) for deviation in draw(count, seed)]
    counts = Counter(one.outcome for one in found)
    for one in found:
        if one.outcome in (UNNOTICED, WRONG_BLAME):
            print(f"{one.outcome.upper()}  {one.deviation}{f': {one.message}' if one.message else ''}")
    concerned = counts[NOTICED] + counts[UNNOTICED] + counts[WRONG_BLAME]
    share = counts[NOTICED] / concerned if concerned else 0.0
    print(
        f"{count} deviations, seed {seed}: {share:.1%} of {concerned} noticed; {counts[NO_EFFECT]} without effect, "
        f"{counts[LEFT_OUT]} excluded, {counts[WRONG_BLAME]} with the wrong blame"
    )
    return int(share < GOAL or counts[LEFT_OUT] > MOST_EXCLUDED * count)


def report_noise(count: int, seed: int) -> int:
    """Print each noise that made a verdict red; 0 when none did."""
    alarms = 0
    for name, lines in draw_noise(count, seed):
        red = [one.now for one in judged(lines) if one.now.status != "PASS"]
        alarms += bool(red)
        for one in red[:1]:
            print(f"FALSE ALARM  {name}: {one}")
    print(f"{count} noises, seed {seed}: {alarms} false alarms")
    return int(alarms > 0)


def untouched() -> list[Any]:
    """The verdicts on the evidence as it is."""
    return list(judged(evidence()))
