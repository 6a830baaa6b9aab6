# SPDX-License-Identifier: Apache-2.0
"""The runs: each cell of the matrix, and each case of the table of detection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from testplan.gate import judge as gate
from testplan.plan import load_plan
from testplan.results import Outcome, Results
from testplan.suites import read_tests
from tests.baseline.record import Record, Seen
from tests.detection.judging import judge
from tests.detection.table import Case, load_table
from tests.matrix.__main__ import mixed
from tests.matrix.oracle import Cell, Oracle, load_oracle
from tests.matrix.runs import Way, run_cell

Run = Callable[[Path], Record]

PRINTED = "what the run printed in place of results"


class NoResults(Exception):
    """A run of which nothing can be kept; the message says why."""


def cells() -> dict[str, Run]:
    """Every version on every platform, by names such as ``1.9/kubernetes``."""
    oracle = load_oracle()
    chosen = mixed(oracle.cells(oracle.versions, oracle.platforms))
    return {f"{cell.version}/{cell.platform}": partial(_of_cell, oracle, cell) for cell in chosen}


def cases() -> dict[str, Run]:
    """Every case, by names such as ``edit-ignored/stopped_vm``."""
    return {case.title.replace(", ", "/"): partial(_of_case, case) for case in load_table()}


def _of_cell(oracle: Oracle, cell: Cell, folder: Path) -> Record:
    names = [scenario.id for scenario in load_plan().scenarios if scenario.automated]
    units = run_cell(oracle.options(cell), oracle.worth_running(names, cell), Way(), folder)
    outcomes = [outcome for unit in units for outcome in unit.outcomes]
    if not outcomes:
        raise NoResults((folder / "printed.txt").read_text(encoding="utf-8")[-1500:])
    return record(outcomes)


def _of_case(case: Case, folder: Path) -> Record:
    judged = judge(case, folder)
    if not judged.outcomes and not judged.printed:
        raise NoResults("; ".join(judged.wrong))
    return record(judged.outcomes, judged.printed)


def record(outcomes: Sequence[Outcome], printed: str = "") -> Record:
    """``printed`` stands for the tests where there are none."""
    tests = {(one.scenario, one.name): [Seen(str(one.verdict), one.message)] for one in outcomes}
    if not outcomes:
        tests["", PRINTED] = [Seen("", printed)]
    return Record(gate=[_exit_code(outcomes)], tests=tests)


def _exit_code(outcomes: Iterable[Outcome]) -> int:
    results = Results("", tuple(outcomes), {}, None, 0.0, "")
    return int(gate(results, load_plan(), read_tests()).exit)
