# SPDX-License-Identifier: Apache-2.0
"""Defects and noises by chance in the evidence of a good run, which is judged again with each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from livenad.rejudge.loading import Rejudged, rejudge, saved_of

from tests.detection.deviations import EVIDENCE, Deviation, Line, applied, draw, evidence
from tests.detection.noise import draw_noise
from tests.detection.outcomes import (
    ALARM,
    GREEN,
    LEFT_OUT,
    NO_EFFECT,
    NOTICED,
    UNNOTICED,
    WRONG_BLAME,
    Tried,
    is_left_out,
)


def try_all(count: int, seed: int) -> list[Tried]:
    """What came of as many defects."""
    return [tried(deviation) for deviation in draw(count, seed)]


def try_noise(count: int, seed: int) -> list[Tried]:
    """What came of as many noises."""
    return [noise_tried(name, lines) for name, lines in draw_noise(count, seed)]


def tried(deviation: Deviation) -> Tried:
    """Judge the evidence with one deviation."""
    title = str(deviation)
    if is_left_out(title):
        return Tried(title, LEFT_OUT)
    lines = applied(deviation)
    if lines is None:
        return Tried(title, NO_EFFECT)
    red = [one.now for one in judged(lines) if one.now.status != "PASS"]
    right = [one for one in red if (one.status == "FAIL") != deviation.is_the_labs]
    if right:
        return Tried(title, NOTICED, right[0].message)
    return Tried(title, WRONG_BLAME, str(red[0])) if red else Tried(title, UNNOTICED)


def noise_tried(name: str, lines: Sequence[Line]) -> Tried:
    """Judge the evidence with one noise."""
    red = [one.now for one in judged(lines) if one.now.status != "PASS"]
    return Tried(name, ALARM, str(red[0])) if red else Tried(name, GREEN)


def judged(lines: Sequence[Line]) -> Iterator[Rejudged]:
    """Every verdict of the evidence, made of these lines."""
    return rejudge(saved_of(EVIDENCE, list(lines)))


def untouched() -> list[Any]:
    """The verdicts on the evidence as it is."""
    return list(judged(evidence()))
