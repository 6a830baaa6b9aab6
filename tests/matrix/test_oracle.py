# SPDX-License-Identifier: Apache-2.0
"""The oracle speaks of every scenario, and tells what it expects from everything else."""

from __future__ import annotations

import pytest

from testplan.plan import Scenario, load_plan
from testplan.results import Outcome, Verdict
from tests.matrix.__main__ import Result, mixed, table
from tests.matrix.oracle import Cell, Oracle, load_oracle, seen

PLAN = load_plan()
ORACLE = load_oracle()
CELLS = [Cell(version, platform) for version in ORACLE.versions for platform in ORACLE.platforms]


def outcome(name: str, verdict: Verdict, message: str = "") -> Outcome:
    return Outcome(name, "Suites", "s1-t1", verdict, message, 0.0, ("nad-77",), {})


def test_every_automated_scenario_is_in_the_oracle() -> None:
    assert {scenario.id for scenario in PLAN.scenarios if scenario.automated} <= set(ORACLE.scenarios)


@pytest.mark.parametrize(
    "scenario", [scenario for scenario in PLAN.scenarios if scenario.automated], ids=lambda s: s.id
)
def test_the_gate_accepts_every_skip_that_the_oracle_expects(scenario: Scenario) -> None:
    lacking = {name for name in ORACLE.capabilities(scenario.id) if any(ORACLE.lacks(cell, name) for cell in CELLS)}
    assert lacking <= set(scenario.needs)


def test_every_capability_of_the_oracle_is_one_of_the_plan() -> None:
    assert set(ORACLE.lacking) <= {capability.name for capability in PLAN.capabilities}


def test_expected_is_a_skip_for_the_first_capability_that_is_lacking() -> None:
    oracle = Oracle(
        ("1", "2"),
        {"a": {}, "b": {"options": ["--platform", "b"], "scenarios": ["nad-72"]}},
        {"old": {"versions": ["1"]}, "strict": {"platforms": ["b"]}},
        {"nad-70": {"all": ["old", "strict"]}, "nad-71": {"some": ["old"]}, "nad-72": {}},
    )
    words = [[oracle.expected(name, Cell(*cell)) for cell in ("1a", "1b", "2a", "2b")] for name in oracle.scenarios]
    assert words == [
        ["SKIP old", "SKIP old", "PASS", "SKIP strict"],
        ["PASS, SKIP old", "PASS, SKIP old", "PASS", "PASS"],
        ["PASS", "PASS", "PASS", "PASS"],
    ]
    assert oracle.options(Cell("2", "b")) == ["--kubevirt", "2", "--platform", "b"]
    assert oracle.worth_running(["nad-70", "nad-72"], Cell("2", "b")) == ["nad-72"]
    assert oracle.worth_running(["nad-70", "nad-72"], Cell("2", "a")) == ["nad-70", "nad-72"]


def test_platforms_that_are_tried_with_few_versions_have_few_cells() -> None:
    oracle = Oracle(("1", "2"), {"a": {}, "b": {"versions": ["2"]}}, {}, {})
    assert oracle.cells(["1", "2"], ["a", "b"]) == [Cell("1", "a"), Cell("2", "a"), Cell("2", "b")]
    assert oracle.cells(["1"], ["b"]) == []


def test_few_runs_in_a_row_are_of_all_platforms() -> None:
    cells = [Cell("1", "a"), Cell("2", "a"), Cell("3", "a"), Cell("3", "b")]
    assert mixed(cells) == [Cell("3", "a"), Cell("3", "b"), Cell("2", "a"), Cell("1", "a")]


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([outcome("A", Verdict.PASS), outcome("B", Verdict.PASS)], "PASS"),
        ([outcome("A", Verdict.SKIP, "Skipped in suite setup:\ncapability old is not there: 1")], "SKIP old"),
        (
            [outcome("A", Verdict.SKIP, "capability old is not there: 1"), outcome("B", Verdict.PASS)],
            "PASS, SKIP old",
        ),
        ([outcome("A", Verdict.PASS), outcome("B", Verdict.FAIL, "NIC on blue\nmore")], "PASS, FAIL B: NIC on blue"),
        ([outcome("A", Verdict.SKIP, "no reason")], "SKIP A: no reason"),
        ([], "not run"),
    ],
)
def test_what_was_seen_is_said_in_the_oracles_words(outcomes: list[Outcome], words: str) -> None:
    assert seen(outcomes) == words


def test_the_table_marks_what_differs() -> None:
    results = [
        Result("1.9", "kubernetes", "nad-70", "nad-70", "PASS", "PASS"),
        Result("1.9", "openshift", "nad-70", "nad-70", "PASS", "FAIL A: no"),
    ]
    assert table(results).splitlines() == [
        "        1.9/kubernetes  1.9/openshift",
        "nad-70  PASS            !! FAIL      ",
    ]
