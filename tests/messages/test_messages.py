# SPDX-License-Identifier: Apache-2.0
"""Runs the suites beside this as a child, and compares status and message of each test with its documentation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from robot.api import ExecutionResult
from robot.api import TestSuite as Suite

from tests.embedded import ROOT

SUITES = Path(__file__).parent / "suites"


def stated() -> dict[str, str]:
    """``STATUS message`` by the long name of each test; white space is folded, ``*`` stands for anything."""
    tests = Suite.from_file_system(SUITES).all_tests
    return {test.full_name: folded(test.doc) for test in tests}


def folded(text: str) -> str:
    return " ".join(text.split())


def says(statement: str, said: str) -> bool:
    return re.fullmatch(re.escape(statement).replace(r"\*", ".*"), said) is not None


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """``STATUS message`` of each test as it came out, with its lines."""
    folder = tmp_path_factory.mktemp("messages")
    command = [sys.executable, "-m", "robot", "--outputdir", str(folder), "--console", "quiet", str(SUITES)]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'libraries'}"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=env)
    assert (folder / "output.xml").is_file(), done.stdout + done.stderr
    tests = ExecutionResult(folder / "output.xml").suite.all_tests
    return {test.full_name: f"{test.status} {test.message}" for test in tests}


@pytest.mark.parametrize("name", stated())
def test_keyword_says_what_the_documentation_states(results: dict[str, str], name: str) -> None:
    statement, said = stated()[name], folded(results[name])
    assert says(statement, said), f"stated: {statement}\nsaid:   {said}"


@pytest.mark.parametrize("name", stated())
def test_failure_is_told_in_a_first_line_that_can_be_read(results: dict[str, str], name: str) -> None:
    status, _, message = stated()[name].partition(" ")
    assert status in ("PASS", "FAIL", "SKIP")
    assert bool(message) == (status != "PASS"), "what fails says why"
    assert len(results[name].splitlines()[0]) < 600


def test_another_message_is_noticed() -> None:
    assert says("FAIL VM * is [x]", "FAIL VM a/b is [x]")
    assert not says("FAIL VM * is [x]", "FAIL VM a/b is [x], too")
    assert not says("FAIL VM is gone", "PASS VM is gone")
