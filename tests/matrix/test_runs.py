# SPDX-License-Identifier: Apache-2.0
"""What a cell of the matrix runs, seen from outside: a stand-in for run.sh notes what it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from testplan.results import Outcome, Verdict
from testplan.suites import read_tests
from tests.detection.judging import TOO_BUSY
from tests.matrix import runs
from tests.matrix.__main__ import compare
from tests.matrix.oracle import Cell, load_oracle
from tests.matrix.runs import Way, run_cell

CLUSTER = ("--kubevirt", "1.9")


def outcome(scenario: str, verdict: Verdict = Verdict.PASS, message: str = "") -> Outcome:
    return Outcome("A", "Suites", "s1-t1", verdict, message, 0.0, (scenario,), {})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Lets runs answer with these outcomes, one after the other; gives the arguments that they got."""

    def stand_in(*answers: dict[str, list[Outcome]]) -> list[list[str]]:
        calls: list[list[str]] = []
        left = iter(answers)

        def run(arguments: Sequence[str], _folder: Path) -> dict[str, list[Outcome]]:
            calls.append(list(arguments))
            return next(left, {})

        monkeypatch.setattr(runs, "_run", run)
        return calls

    return stand_in


def test_scenarios_run_together(asked: Callable[..., list[list[str]]], tmp_path: Path) -> None:
    calls = asked({"nad-06": [outcome("nad-06")]})
    way = Way(processes=2, options=("--randomize", "all"))
    units = list(run_cell(CLUSTER, ["nad-06", "nad-07"], way, tmp_path))
    assert calls == [
        [*CLUSTER, "--processes", "2", "--randomize", "all", "--include", "nad-06", "--include", "nad-07"],
    ]
    assert [(unit.name, len(unit.outcomes)) for unit in units] == [("nad-06", 1), ("nad-07", 0)]


def test_each_test_runs_alone(asked: Callable[..., list[list[str]]], tmp_path: Path) -> None:
    calls = asked()
    list(run_cell(CLUSTER, ["nad-06"], Way(alone="test"), tmp_path))
    names = [test.name for test in read_tests() if "nad-06" in test.scenarios]
    assert len(names) > 1
    assert calls == [[*CLUSTER, "--include", "nad-06", "--test", name] for name in names]


def test_each_scenario_runs_alone(asked: Callable[..., list[list[str]]], tmp_path: Path) -> None:
    calls = asked()
    list(run_cell(CLUSTER, ["nad-06", "nad-07"], Way(alone="scenario"), tmp_path))
    assert calls == [[*CLUSTER, "--include", "nad-06"], [*CLUSTER, "--include", "nad-07"]]


def test_a_scenario_that_the_lab_was_too_busy_to_judge_runs_once_more(
    asked: Callable[..., list[list[str]]], tmp_path: Path
) -> None:
    busy = outcome("nad-06", Verdict.LAB_ERROR, f"LAB ERROR: {TOO_BUSY}")
    calls = asked({"nad-06": [busy], "nad-07": [outcome("nad-07")]}, {"nad-06": [outcome("nad-06")]})
    units = list(run_cell(CLUSTER, ["nad-06", "nad-07"], Way(), tmp_path))
    assert calls[1:] == [[*CLUSTER, "--include", "nad-06"]]
    assert [unit.outcomes[0].verdict for unit in units] == [Verdict.PASS, Verdict.PASS]


def test_in_clean_runs_a_busy_lab_is_an_alarm_like_any_other(
    asked: Callable[..., list[list[str]]], tmp_path: Path
) -> None:
    busy = outcome("nad-06", Verdict.LAB_ERROR, f"LAB ERROR: {TOO_BUSY}")
    calls = asked({"nad-06": [busy]})
    units = list(run_cell(CLUSTER, ["nad-06"], Way(again=False), tmp_path))
    assert len(calls) == 1
    assert [unit.outcomes[0].verdict for unit in units] == [Verdict.LAB_ERROR]


def test_the_same_cluster_runs_several_times(asked: Callable[..., list[list[str]]], tmp_path: Path) -> None:
    calls = asked()
    cell = Cell("1.7", "kubernetes")
    compare(load_oracle(), [cell, cell], ["nad-06"], Way(alone="scenario"), tmp_path)
    assert len(calls) == 2
