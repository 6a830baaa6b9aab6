# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.matrix``: all suites on every embedded cluster, compared with the oracle. See ``--help``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice, zip_longest
from pathlib import Path

from testplan.__main__ import judge_run
from testplan.plan import load_plan
from testplan.results import Verdict
from tests.matrix.oracle import Cell, Oracle, load_oracle, seen
from tests.matrix.runs import Unit, Way, run_cell

DESCRIPTION = "All suites on every embedded cluster, compared with tests/matrix/oracle.yaml."
RANDOM = ("--randomize", "all")


@dataclass(frozen=True)
class Result:
    """What came out of one scenario (or one test of it) on one cluster, and what should have."""

    version: str
    platform: str
    scenario: str
    name: str
    expected: str
    seen: str

    @property
    def cell(self) -> Cell:
        return Cell(self.version, self.platform)

    @property
    def as_expected(self) -> bool:
        return self.seen == self.expected

    def __str__(self) -> str:
        return f"{self.name} on {self.version} on {self.platform}: expected {self.expected}, seen {self.seen}"


def main(argv: Sequence[str] | None = None) -> int:
    """0: everything came out as the oracle says; 1: something did not."""
    oracle = load_oracle()
    arguments = _arguments(argv, oracle)
    cells = oracle.cells(arguments.versions, arguments.platforms)
    if arguments.runs:
        cells = list(islice(cycle(cell for cell in mixed(cells) if oracle.whole(cell)), arguments.runs))
    options = (*(RANDOM if arguments.randomize else ()), *arguments.robot)
    way = Way(arguments.alone, arguments.tests, arguments.processes, options, again=not arguments.runs)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="matrix-"))
    print(f"Results of the runs: {folder}", flush=True)
    with busy(arguments.busy):
        results = compare(oracle, cells, arguments.scenarios, way, folder, jobs=arguments.jobs, tell=_tell)
    if arguments.alone != "test" and not arguments.runs:
        print(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", encoding="utf-8")
    different = [result for result in results if not result.as_expected]
    for result in different:
        print(f"DIFFERENT  {result}")
    if arguments.runs:
        print(f"{len(cells)} whole runs, {len(different)} false alarms")
    print(f"{len(results)} compared, {len(different)} different")
    return 1 if different else 0


def compare(
    oracle: Oracle,
    cells: Sequence[Cell],
    scenarios: Sequence[str],
    way: Way,
    folder: Path,
    *,
    jobs: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Result]:
    """Runs the scenarios on each of the clusters, ``jobs`` clusters in parallel."""

    twice = len(set(cells)) < len(cells)

    def one(numbered: tuple[int, Cell]) -> list[Result]:
        number, cell = numbered
        began = time.monotonic()
        place = folder / f"{f'{number:02}-' if twice else ''}{cell.version}-{cell.platform}"
        names = oracle.worth_running(scenarios, cell)
        results = [_result(oracle, cell, unit) for unit in run_cell(oracle.options(cell), names, way, place)]
        if names and way.alone == "nothing" and not list(place.glob("again-*")):
            results.append(_of_the_gate(oracle, cell, names, place))
        wrong = sum(not result.as_expected for result in results)
        tell(f"{cell}: {len(results)} compared, {wrong} different, {time.monotonic() - began:.0f} s")
        for result in results:
            if not result.as_expected:
                tell(f"    {result}")
        return results

    with ThreadPoolExecutor(jobs) as pool:
        return [result for results in pool.map(one, enumerate(cells, 1)) for result in results]


def mixed(cells: Sequence[Cell]) -> list[Cell]:
    """The platforms take turns, so that few runs in a row are of all kinds; the newest versions come first."""
    rows = [[cell for cell in reversed(cells) if cell.platform == name] for name in {c.platform: None for c in cells}]
    return [cell for turn in zip_longest(*rows) for cell in turn if cell is not None]


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keeps this number of cores busy meanwhile."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def _result(oracle: Oracle, cell: Cell, unit: Unit) -> Result:
    found, expected = seen(unit.outcomes), oracle.expected(unit.scenario, cell)
    # Of a scenario that is skipped in part, a single test may do either.
    if len(unit.outcomes) == 1 and found in expected.split(", "):
        expected = found
    return Result(cell.version, cell.platform, unit.scenario, unit.name, expected, found)


def _of_the_gate(oracle: Oracle, cell: Cell, scenarios: Sequence[str], place: Path) -> Result:
    """The verdict on the whole run: a P0 is not excused, and without all of P0 the run is partial at best."""
    p0 = {scenario.id for scenario in load_plan().automated_p0()}
    expected = {name: oracle.expected(name, cell) for name in scenarios}
    passes = any(word.startswith(Verdict.PASS) for word in expected.values())
    proven = passes and all(word == Verdict.PASS for name, word in expected.items() if name in p0)
    word = "NOT PROVEN" if not proven else "PASS" if p0 <= set(scenarios) else "PARTIAL"
    judgement, _ = judge_run(place / "output.xml")
    return Result(cell.version, cell.platform, "gate", "gate", word, judgement.word)


def table(results: Sequence[Result]) -> str:
    """Scenarios down, clusters across; what differs from the oracle is marked."""
    cells = list(dict.fromkeys(result.cell for result in results))
    names = list(dict.fromkeys(result.name for result in results))
    words = {(result.name, result.cell): _word(result) for result in results}
    head = ["", *(f"{cell.version}/{cell.platform}" for cell in cells)]
    rows = [head, *([name, *(words.get((name, cell), "") for cell in cells)] for name in names)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _word(result: Result) -> str:
    return result.seen if result.as_expected else f"!! {result.seen.split(' ', 1)[0]}"


def _tell(line: str) -> None:
    print(line, flush=True)


def _arguments(argv: Sequence[str] | None, oracle: Oracle) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=DESCRIPTION)

    def several(known: Sequence[str]) -> Callable[[str], list[str]]:
        def parse(text: str) -> list[str]:
            names = text.split(",")
            if unknown := sorted(set(names).difference(known)):
                raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
            return names

        return parse

    scenarios = [scenario.id for scenario in load_plan().scenarios if scenario.automated]
    for name, known in (
        ("versions", oracle.versions),
        ("platforms", tuple(oracle.platforms)),
        ("scenarios", scenarios),
    ):
        parser.add_argument(f"--{name}", type=several(known), default=list(known), metavar="A,B", help="default: all")
    parser.add_argument("--each-scenario", action="store_const", dest="alone", const="scenario", default="nothing")
    parser.add_argument(
        "--each-test", action="store_const", dest="alone", const="test", help="each in a run of its own"
    )
    parser.add_argument("--tests", default="*", metavar="PATTERN", help="with --each-test: of these names only")
    parser.add_argument("--randomize", action="store_true", help="suites and tests in random order")
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="number of suites in parallel on a cluster"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="number of clusters in parallel")
    parser.add_argument(
        "--runs", type=int, default=0, metavar="N", help="N whole runs, the clusters in turn; every difference counts"
    )
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="keep N cores busy meanwhile")
    parser.add_argument("--folder", type=Path, help="where the runs' results go; default: a new one in /tmp")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was expected and seen as JSON")
    parser.add_argument("robot", nargs="*", help="arguments of robot, after --")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
