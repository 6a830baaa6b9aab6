# SPDX-License-Identifier: Apache-2.0
"""Runs of the suites on embedded clusters: all at once, a scenario at a time, or a test at a time."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from testplan.results import Outcome, ResultsError, read_results
from testplan.suites import read_tests
from tests.detection.judging import TOO_BUSY
from tests.embedded import ROOT
from tests.matrix.oracle import by_scenario

LONGEST = 3600.0


@dataclass(frozen=True)
class Way:
    """How the suites run. ``alone``: what gets a cluster of its own: ``nothing``, ``scenario`` or ``test``.

    ``tests`` is a pattern of names, for tests that run alone. ``again``: whether a scenario that the lab was too busy
    to judge gets a second try.
    """

    alone: str = "nothing"
    tests: str = "*"
    processes: int = 1
    options: tuple[str, ...] = ()
    again: bool = True

    def arguments(self) -> list[str]:
        """Of run.sh."""
        return [*(("--processes", str(self.processes)) if self.processes > 1 else ()), *self.options]


@dataclass(frozen=True)
class Unit:
    """What one scenario brought, or one test of it: ``name`` says which."""

    scenario: str
    name: str
    outcomes: tuple[Outcome, ...]


def run_cell(cluster: Sequence[str], scenarios: Sequence[str], way: Way, folder: Path) -> Iterator[Unit]:
    """The outcomes of these scenarios on a cluster with these options of run.sh; results stay below ``folder``."""
    if way.alone == "nothing":
        found = _run([*cluster, *way.arguments(), *_including(scenarios)], folder) if scenarios else {}
        for name in scenarios:
            again = [*cluster, "--include", name]
            yield Unit(name, name, _once_more_if_busy(found.get(name, ()), name, again, folder, way))
        return
    for number, (name, scenario, selection) in enumerate(_alone(scenarios, way)):
        place = folder / f"{number:03}-{re.sub(r'[^a-z0-9]+', '-', name.lower())}"
        command = [*cluster, *way.arguments(), *selection]
        outcomes = _run(command, place).get(scenario, ())
        yield Unit(scenario, name, _once_more_if_busy(outcomes, scenario, command, place, way))


def _alone(scenarios: Sequence[str], way: Way) -> Iterator[tuple[str, str, list[str]]]:
    """Of each thing that runs alone: its name, its scenario, and robot's options that select it."""
    for scenario in scenarios:
        if way.alone == "scenario":
            yield scenario, scenario, _including([scenario])
            continue
        for test in read_tests():
            if scenario in test.scenarios and fnmatch(test.name, way.tests):
                yield f"{scenario} {test.name}", scenario, [*_including([scenario]), "--test", test.name]


def _once_more_if_busy(
    outcomes: Sequence[Outcome], scenario: str, arguments: Sequence[str], folder: Path, way: Way
) -> tuple[Outcome, ...]:
    """When the lab itself says that the machine was too busy to judge."""
    if not way.again or not any(TOO_BUSY in outcome.message for outcome in outcomes):
        return tuple(outcomes)
    return tuple(_run(arguments, folder / f"again-{scenario}").get(scenario, ()))


def _including(scenarios: Sequence[str]) -> list[str]:
    return [option for name in scenarios for option in ("--include", name)]


def _run(arguments: Sequence[str], folder: Path) -> dict[str, list[Outcome]]:
    """Runs run.sh; the outcomes by scenario, none without a result file. What it printed is in ``printed.txt``."""
    folder.mkdir(parents=True)
    command = [str(ROOT / "run.sh"), *arguments, "--outputdir", str(folder), "--console", "quiet"]
    with (folder / "printed.txt").open("w", encoding="utf-8") as printed:
        subprocess.run(command, stdout=printed, stderr=subprocess.STDOUT, check=False, timeout=LONGEST, cwd=ROOT)
    try:
        return by_scenario(read_results(folder / "output.xml").outcomes)
    except ResultsError:
        return {}
