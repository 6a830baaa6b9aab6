# SPDX-License-Identifier: Apache-2.0
"""A matrix that was broken off goes on where it was."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from testplan.results import Outcome, Verdict
from tests.faults import __main__ as matrix
from tests.faults.runs import Behind

ARGUMENTS = argparse.Namespace(processes=1, speed=5, jobs=1, robot=[])


def test_what_was_run_before_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[str] = []

    def run_behind(fault: str, folder: Path, suites: list[str], **_: object) -> Behind:
        run.append(fault)
        folder.mkdir(exist_ok=True)
        outcome = Outcome("Swap Completes", "Suites.P0", "s1-t1", Verdict.LAB_ERROR, "why", 1.5, ("p0",), {"R": "R1"})
        return Behind(fault, {suite: [outcome] for suite in suites}, ["twice"], {"PATCH vm"}, set(), 7, 2.0)

    monkeypatch.setattr(matrix, "run_behind", run_behind)
    first = matrix.run_all(["gone"], ["a"], tmp_path, ARGUMENTS)
    assert run == ["undisturbed", "gone"]
    assert matrix.run_all(["gone"], ["a"], tmp_path, ARGUMENTS) == first
    assert run == ["undisturbed", "gone"]
    matrix.run_all(["gone", "latency"], ["a"], tmp_path, ARGUMENTS)
    assert run == ["undisturbed", "gone", "latency"]
    matrix.run_all(["gone"], ["a", "b"], tmp_path, ARGUMENTS)
    assert run == ["undisturbed", "gone", "latency", "undisturbed", "gone"]
