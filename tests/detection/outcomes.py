# SPDX-License-Identifier: Apache-2.0
"""What came of what was drawn by chance, and the count: how many defects were noticed, which noises were alarms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

EXCLUDED = Path(__file__).parent / "excluded.yaml"
GOAL, MOST_EXCLUDED = 0.95, 0.15
NOTICED, UNNOTICED, WRONG_BLAME = "noticed", "unnoticed", "wrong blame"
NO_EFFECT, LEFT_OUT = "without effect", "excluded"
ALARM, GREEN = "false alarm", "green"


@dataclass(frozen=True)
class Tried:
    """One thing drawn, what came of it, and what the first red verdict said.

    A run also tells what was ``done`` in the cluster, how many ``seconds`` it took, and its ``commit``.
    """

    title: str
    outcome: str
    message: str = ""
    done: str = ""
    seconds: float = 0.0
    commit: str = ""


@dataclass(frozen=True)
class Exclusion:
    """Deviations that are not the feature's business: pattern of the title, and why."""

    pattern: str
    why: str


@cache
def exclusions() -> tuple[Exclusion, ...]:
    """All of them."""
    return tuple(Exclusion(**entry) for entry in yaml.safe_load(EXCLUDED.read_text(encoding="utf-8")))


def is_left_out(title: str) -> bool:
    """Whether something drawn is not the feature's business."""
    return any(re.fullmatch(entry.pattern, title) for entry in exclusions())


def report(tried: Sequence[Tried], what: str) -> int:
    """Print share and list; 0 when the goal is reached and no more is excluded than may be."""
    counts = Counter(one.outcome for one in tried)
    _list([one for one in tried if one.outcome in (UNNOTICED, WRONG_BLAME)])
    concerned = counts[NOTICED] + counts[UNNOTICED] + counts[WRONG_BLAME]
    share = counts[NOTICED] / concerned if concerned else 0.0
    print(
        f"{len(tried)} deviations {what}: {share:.1%} of {concerned} noticed; {counts[NO_EFFECT]} without effect, "
        f"{counts[LEFT_OUT]} excluded, {counts[WRONG_BLAME]} with the wrong blame{_seconds(tried)}"
    )
    return int(share < GOAL or counts[LEFT_OUT] > MOST_EXCLUDED * len(tried))


def report_noise(tried: Sequence[Tried], what: str) -> int:
    """Print each noise that made a verdict red; 0 when none did."""
    alarms = [one for one in tried if one.outcome != GREEN]
    _list(alarms)
    print(f"{len(tried)} noises {what}: {len(alarms)} false alarms{_seconds(tried)}")
    return int(bool(alarms))


def _list(tried: Sequence[Tried]) -> None:
    for one in tried:
        print(f"{one.outcome.upper()}  {one.title}")
        for line in (f"done: {one.done}" if one.done else "", one.message):
            if line:
                print(f"    {line}")


def _seconds(tried: Sequence[Tried]) -> str:
    seconds, commits = sum(one.seconds for one in tried), sorted({one.commit for one in tried if one.commit})
    return f"; {seconds:.0f} s of runs at {', '.join(commits)}" if commits else ""
