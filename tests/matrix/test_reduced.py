# SPDX-License-Identifier: Apache-2.0
"""All suites on one embedded cluster, and a few on two others: a sample of ``python -m tests.matrix``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix.__main__ import RANDOM, compare
from tests.matrix.oracle import Cell, load_oracle
from tests.matrix.runs import Way

ORACLE = load_oracle()


def assert_as_expected(cell: Cell, scenarios: list[str], way: Way, folder: Path) -> None:
    results = compare(ORACLE, [cell], scenarios, way, folder)
    assert results
    assert [str(result) for result in results if not result.as_expected] == []


@pytest.mark.timeout(600)
def test_every_suite_on_the_newest_release(tmp_path: Path) -> None:
    assert_as_expected(Cell("1.9", "kubernetes"), list(ORACLE.scenarios), Way(processes=2), tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(240)
def test_an_old_version_skips_what_it_cannot_do_and_proves_the_rest(tmp_path: Path) -> None:
    assert_as_expected(Cell("1.8", "kubernetes"), ["nad-01", "nad-02"], Way(), tmp_path)


@pytest.mark.timeout(240)
def test_openshift_by_two_processes_in_random_order(tmp_path: Path) -> None:
    way = Way(processes=2, options=RANDOM)
    assert_as_expected(Cell("main", "openshift"), ["nad-06", "nad-07"], way, tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(240)
def test_tests_say_the_same_when_each_runs_alone(tmp_path: Path) -> None:
    way = Way(alone="test", tests="Stopped VM Starts*")
    assert_as_expected(Cell("1.9", "kubernetes"), ["nad-06"], way, tmp_path)
