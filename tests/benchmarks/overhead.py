# SPDX-License-Identifier: Apache-2.0
"""a. How much of the P0 suite's wall time is the harness and not the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from robot.api import ExecutionResult, ResultVisitor
from robot.result import Keyword
from robot.utils import timestr_to_secs

from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import PROFILE, Lab, RobotRun, listener
from tests.benchmarks.own_time import FILE
from tests.embedded import ROOT

WINDOWS = ("ISOLATION_WINDOW", "SILENCE_WINDOW")
REMOVALS = ("Close Test Namespace", "Close Cluster")
# The pace of a real control plane, and the embedded cluster's default one.
PACES: dict[str, tuple[tuple[str, ...], Path | None]] = {
    "at a real control plane's pace": (("--speed", "1"), None),
    "five times as quick": ((), PROFILE),
}


@dataclass(frozen=True)
class Split:
    """The wall time of one run, and what of it was the cluster's own; seconds."""

    wall: float
    boot: float
    swap: float
    windows: float
    removal: float

    @property
    def own(self) -> float:
        return self.boot + self.swap + self.windows + self.removal

    @property
    def harness(self) -> float:
        return self.wall - self.own


class _Removals(ResultVisitor):  # type: ignore[misc] # robot has no types
    def __init__(self) -> None:
        self.seconds = 0.0

    def start_keyword(self, keyword: Keyword) -> None:
        if keyword.name in REMOVALS:
            self.seconds += keyword.elapsed_time.total_seconds()


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Wall time of P0, split."""
    figures: list[Figure] = []
    ratios: list[Ratio] = []
    for pace, (options, profile) in PACES.items():
        with lab.cluster(*options) as kubeconfig:
            splits = [_run(lab, kubeconfig, profile) for _ in range(lab.count(5))]
        figures += [
            figure("a", f"P0 suite from robot's start to its reports, {pace}", "s", (s.wall for s in splits)),
            figure("a", "- boots, swap, removal and windows asked for", "s", (s.own for s in splits)),
            figure("a", "- of these the swap", "s", (s.swap for s in splits)),
            figure("a", "- of these windows asked for", "s", (s.windows for s in splits)),
            figure("a", "- the harness: all the rest", "s", (s.harness for s in splits)),
            share := figure("a", "- its share", "%", (s.harness / s.wall * 100 for s in splits)),
        ]
        ratios.append(Ratio(f"harness to wall time of P0, {pace}", share.median / 100, "lower"))
    return figures, ratios


def _run(lab: Lab, kubeconfig: Path, profile: Path | None) -> Split:
    given = ["--variablefile", str(profile)] if profile else []
    run = lab.robot(kubeconfig, "p0", "--include", "p0", *given, *listener("own_time"))
    told = run.measured(FILE)
    windows = _windows(profile) + told["settled"]
    return Split(run.wall, told["boot"], sum(told["swaps"]), windows, _removal(run))


def _windows(profile: Path | None) -> float:
    """Seconds of observation that the suite is asked for: one window before the act and one after it.

    The rest of the third one, SETTLED_WINDOW, comes from the run itself: most tests run while it lasts.
    """
    values = yaml.safe_load((ROOT / "variables" / "defaults.yaml").read_text(encoding="utf-8"))
    if profile:
        values |= yaml.safe_load(profile.read_text(encoding="utf-8"))
    return float(sum(timestr_to_secs(values[name]) for name in WINDOWS))


def _removal(run: RobotRun) -> float:
    """Seconds for which the run waited until its namespace and all in it were gone."""
    visitor = _Removals()
    ExecutionResult(run.folder / "output.xml").visit(visitor)
    return visitor.seconds
