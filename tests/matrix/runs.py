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
from tests.detection.expectations import TOO_BUSY
from tests.embedded import ROOT
from tests.matrix.oracle import Cell, by_scenario

LONGEST = 3600.0


@dataclass(frozen=True)
class Way:
    """How the suites run. ``alone``: what gets a cluster of its own: ``nothing``, ``scenario`` or ``test``.

    ``tests`` is a pattern of names, for tests that run alone.
    """

    alone: str = "nothing"
    tests: str = "*"
    processes: int = 1
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """What one scenario brought, or one test of it: ``name`` says which."""

    scenario: str
    name: str
    outcomes: tuple[Outcome, ...]


def run_cell(cell: Cell, scenarios: Sequence[str], way: Way, folder: Path) -> Iterator[Unit]:
    """The outcomes of these scenarios on such a cluster; results stay below ``folder``."""
    if way.alone == "nothing":
        found = by_scenario(_run(cell, _including(scenarios), way, folder))
        for name in scenarios:
            yield Unit(name, name, tuple(_again_if_busy(cell, name, found.get(name, []), way, folder)))
        return
    for number, (name, options) in enumerate(_alone(scenarios, way)):
        scenario = options[1]
        place = folder / f"{number:03}-{re.sub(r'[^a-z0-9]+', '-', name.lower())}"
        found = by_scenario(_run(cell, options, way, place))
        yield Unit(
            scenario, name, tuple(_again_if_busy(cell, scenario, found.get(scenario, []), way, place, options=options))
        )


def _alone(scenarios: Sequence[str], way: Way) -> Iterator[tuple[str, list[str]]]:
    """Name and robot's options of each thing that runs alone; the second option is the scenario."""
    for scenario in scenarios:
        if way.alone == "scenario":
            yield scenario, ["--include", scenario]
            continue
        for test in read_tests():
            if scenario in test.scenarios and fnmatch(test.name, way.tests):
                yield f"{scenario} {test.name}", ["--include", scenario, "--test", test.name]


def _again_if_busy(
    cell: Cell, scenario: str, outcomes: Sequence[Outcome], way: Way, folder: Path, *, options: Sequence[str] = ()
) -> Sequence[Outcome]:
    """Once more, when the lab itself says that the machine was too busy to judge."""
    if not any(TOO_BUSY in outcome.message for outcome in outcomes):
        return outcomes
    again = _run(cell, options or ["--include", scenario], Way(), folder / f"again-{scenario}")
    return by_scenario(again).get(scenario, [])


def _including(scenarios: Sequence[str]) -> list[str]:
    return [option for name in scenarios for option in ("--include", name)]


def _run(cell: Cell, options: Sequence[str], way: Way, folder: Path) -> list[Outcome]:
    """The outcomes of one run.sh; none when it left no result file, and then its words are in ``printed.txt``."""
    folder.mkdir(parents=True)
    command = [str(ROOT / "run.sh"), "--kubevirt", cell.version]
    if cell.platform != "kubernetes":
        command += ["--platform", cell.platform]
    if way.processes > 1:
        command += ["--processes", str(way.processes)]
    command += [*options, *way.options, "--outputdir", str(folder), "--console", "quiet"]
    with (folder / "printed.txt").open("w", encoding="utf-8") as printed:
        subprocess.run(command, stdout=printed, stderr=subprocess.STDOUT, check=False, timeout=LONGEST, cwd=ROOT)
    try:
        return list(read_results(folder / "output.xml").outcomes)
    except ResultsError:
        return []
