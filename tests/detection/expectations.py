"""What a defect must do to a suite: the tests that it turns red, and what each of them must say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from emulator.decisions import all_defects
from testplan.gate import Exit
from testplan.results import Verdict
from testplan.suites import read_tests
from tests.embedded import SUITES, RobotRun, run_robot

TOO_BUSY = "too few requests were sent: was a guest frozen or overloaded?"


@dataclass(frozen=True)
class Expected:
    """What a defect must do to the suite: its verdict, and of each red test what its message must say (patterns).

    ``scenario`` is the suite that runs; a suite without a defect must be proven as well, before its red ones mean much.
    ``cluster``: options of the embedded cluster, such as another version of KubeVirt. ``suites``: the
    folder of suites that runs by itself, without the root's setup. ``cause``: a pattern that the first line of each red
    message, or what the first page of its evidence says before its files, has to match.
    """

    exit: Exit
    red: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scenario: str = "nad-01"
    cluster: tuple[str, ...] = ()
    suites: str = ""
    cause: str = ""


def require_expected(folder: Path, defect: str, expected: Expected, *options: str) -> None:
    """Runs the scenario with a defect on ("" for none). AssertionError unless exactly the right tests turn red.

    A run in which the lab itself says that the machine was too busy has judged nothing: it is repeated once.
    """
    suites = SUITES / expected.suites
    cluster = (*expected.cluster, *(("--defect", defect) if defect else ()))
    run = run_robot(folder / "first", "--include", expected.scenario, *options, cluster=cluster, suites=suites)
    if any(TOO_BUSY in outcome.message for outcome in run.outcomes.values()):
        run = run_robot(folder / "again", "--include", expected.scenario, *options, cluster=cluster, suites=suites)
    seen = {name: outcome.message for name, outcome in run.outcomes.items() if outcome.verdict is not Verdict.PASS}
    assert sorted(seen) == sorted(expected.red), f"{seen}\n{run.printed}"
    for test, patterns in expected.red.items():
        for pattern in patterns:
            assert re.search(pattern, seen[test], re.DOTALL), f"{test}: {pattern!r} is not in: {seen[test]}"
    assert run.judgement.exit == expected.exit
    if expected.cause:
        require_cause_told(run, expected)


def require_cause_told(run: RobotRun, expected: Expected) -> None:
    """AssertionError unless each red test's evidence names the cause on its first screen, and one message does so."""
    first_lines = [run.outcomes[name].first_line for name in expected.red]
    assert any(re.search(expected.cause, line) for line in first_lines), first_lines
    for name in expected.red:
        kept = run.folder / run.outcomes[name].metadata["Evidence"].strip("[]").partition("|")[0]
        screen = unescape(kept.read_text(encoding="utf-8").partition("<h2>Files")[0])
        assert re.search(expected.cause, screen), f"{name}: {expected.cause!r} is not on the first screen of {kept}"


def require_row_violated(defect: str, expected: Expected) -> None:
    """AssertionError unless a red test carries one of the rows that the defect says it violates."""
    tests = [test for test in read_tests() if test.name in expected.red and expected.scenario in test.scenarios]
    carried = {row for test in tests for row in test.requirements}
    assert carried.intersection(all_defects()[defect].rows)


def products(expectations: Mapping[str, Expected]) -> list[str]:
    """The defects among them that are the product's fault."""
    return [name for name, expected in expectations.items() if expected.exit is Exit.PRODUCT_FAILED]
