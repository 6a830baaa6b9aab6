# SPDX-License-Identifier: Apache-2.0
"""A matrix that was broken off goes on where it was; and what it compares."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from testplan.results import Outcome, Verdict
from tests.faults import __main__ as matrix
from tests.faults.runs import Behind, differences

ARGUMENTS = argparse.Namespace(processes=1, speed=5, jobs=1, robot=[])


def outcome(verdict: Verdict) -> Outcome:
    return Outcome("Swap Completes", "Suites.P0", "s1-t1", verdict, "why", 1.5, ("p0",), {"R": "R1"})


def behind(fault: str, **verdicts: Verdict) -> Behind:
    return Behind(fault, {suite: [outcome(verdict)] for suite, verdict in verdicts.items()})


def test_what_was_run_before_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[str] = []

    def run_behind(fault: str, folder: Path, suites: list[str], **_: object) -> Behind:
        run.append(fault)
        folder.mkdir(exist_ok=True)
        outcomes = {suite: [outcome(Verdict.LAB_ERROR)] for suite in suites}
        return Behind(fault, outcomes, ["twice"], {"PATCH vm"}, set(), 7, 2.0)

    monkeypatch.setattr(matrix, "run_behind", run_behind)
    first = matrix.run_all(["gone"], ["a"], tmp_path, ARGUMENTS)
    assert run == ["undisturbed", "gone"]
    assert matrix.run_all(["gone"], ["a"], tmp_path, ARGUMENTS) == first
    assert run == ["undisturbed", "gone"]
    matrix.run_all(["gone", "latency"], ["a"], tmp_path, ARGUMENTS)
    assert run == ["undisturbed", "gone", "latency"]
    matrix.run_all(["gone"], ["a", "b"], tmp_path, ARGUMENTS)
    assert run == ["undisturbed", "gone", "latency", "undisturbed", "gone"]


def test_each_verdict_is_compared_and_a_skipped_suite_is_none_that_was_tried() -> None:
    undisturbed = behind("undisturbed", same=Verdict.PASS, other=Verdict.PASS, gone=Verdict.PASS, skipped=Verdict.SKIP)
    found = differences(
        behind("gone", same=Verdict.PASS, other=Verdict.LAB_ERROR, skipped=Verdict.SKIP), undisturbed, []
    )
    assert found == {
        "same": [],
        "other": ["Swap Completes: LAB ERROR, undisturbed PASS: why"],
        "gone": ["Swap Completes: NOT RUN, undisturbed PASS: no result"],
        "skipped": ["nothing to compare with: no test ran on the undisturbed cluster"],
    }
