# SPDX-License-Identifier: Apache-2.0
"""The table of detection is whole: every defect in it is caught by a test for its row, and every test is turned red."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.cli.main import NOTICED
from emulator.fault_points import all_defects
from testplan.results import Outcome, Verdict
from testplan.suites import read_tests
from tests.detection.judging import differences
from tests.detection.table import Case, TableError, flaws, load_table, never_red, noticed

CASE = Case("a", "stopped_vm", Verdict.FAIL, {"Red One": ("old-network",)})
SAID = "VM ns/vm: expected to be on new-network; it is on old-network"


def outcome(name: str, verdict: Verdict, message: str = "") -> Outcome:
    return Outcome(name, "s", "s1", verdict, message, 0.0, (), {})


def test_table_knows_every_defect_and_every_row() -> None:
    assert flaws(load_table()) == []


def test_what_the_embedded_cluster_says_of_its_defects_is_what_the_table_says() -> None:
    """Written by `python -m tests.detection --noticed`."""
    assert json.loads(NOTICED.read_text(encoding="utf-8")) == noticed(load_table(), read_tests())


def test_every_test_of_every_suite_is_turned_red() -> None:
    assert [f"{test.source.stem}: {test.name}" for test in never_red(load_table(), read_tests())] == []


def test_each_priority_and_verdict_has_a_case_that_runs_each_time() -> None:
    """And the suite of the first scenario has a defect of the product, and a fault of the lab."""
    reduced = [case for case in load_table() if case.reduced]
    folders = {test.source.stem: test.source.parent.name for test in read_tests()}
    assert {folders[case.suite] for case in reduced} == {"preflight", "p0", "p1", "p2"}
    first = {case.verdict for case in reduced if case.suite == "linux_bridge_vlan_change"}
    assert first == {Verdict.FAIL, Verdict.LAB_ERROR}


def test_every_defect_says_what_it_does() -> None:
    """One sentence or two; a defect of the product violates a row, one of the lab none."""
    for name, defect in all_defects().items():
        assert defect.sentence.endswith("."), name
        assert bool(defect.rows) or defect.fault != "product", name


def test_missing_case_is_named() -> None:
    assert "defect last-edit-lost: no case" in flaws([CASE])


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([], "the run gave no results"),
        ([outcome("Red One", Verdict.PASS)], "'Red One' stayed green"),
        ([outcome("Other", Verdict.PASS)], "'Red One' did not run"),
        ([outcome("Red One", Verdict.LAB_ERROR, SAID)], "'Red One' is LAB ERROR, not FAIL"),
        ([outcome("Red One", Verdict.FAIL, "VM ns/vm: expected more")], "'old-network' is not in"),
        ([outcome("Red One", Verdict.FAIL, "expected new-network, not old-network")], "names no object"),
        ([outcome("Red One", Verdict.FAIL, "the VM is on old-network")], "does not say what was expected"),
        ([outcome("Red One", Verdict.FAIL, SAID), outcome("Other", Verdict.FAIL, SAID)], "'Other' is red as well"),
    ],
)
def test_a_case_that_comes_out_differently_is_told(outcomes: list[Outcome], said: str) -> None:
    assert any(line.startswith(said) or said in line for line in differences(CASE, outcomes))


@pytest.mark.parametrize(
    ("verdict", "message", "said"),
    [
        (Verdict.PASS, "", []),
        (Verdict.FAIL, SAID, []),
        (Verdict.FAIL, "VM ns/vm: expected less", ["'Other': 'new-network' is not in: VM ns/vm: expected less"]),
        (Verdict.LAB_ERROR, SAID, [f"'Other' is LAB ERROR, not FAIL: {SAID}"]),
    ],
)
def test_what_chance_may_turn_red_is_judged_as_well(verdict: Verdict, message: str, said: list[str]) -> None:
    case = replace(CASE, maybe={"Other": ("new-network",)})
    outcomes = [outcome("Red One", Verdict.FAIL, SAID), outcome("Other", verdict, message)]
    assert differences(case, outcomes) == said


@pytest.mark.parametrize(
    ("printed", "outcomes", "right"),
    [
        ("Verdict: LAB ERROR: no room", [], True),
        ("Verdict: FAIL", [], False),
        ("Verdict: LAB ERROR: no room", [outcome("Red One", Verdict.FAIL, SAID)], False),
    ],
)
def test_a_run_that_leaves_no_results_is_judged_by_what_it_prints(
    printed: str, outcomes: list[Outcome], right: bool
) -> None:
    case = Case("", "stopped_vm", Verdict.LAB_ERROR, printed="LAB ERROR: no room")
    assert (differences(case, outcomes, printed) == []) is right


def test_a_case_that_comes_out_right_is_quiet() -> None:
    assert differences(CASE, [outcome("Red One", Verdict.FAIL, SAID), outcome("Other", Verdict.PASS)]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {defect: a, suite: b, red: {T: [x]}, colour: red}", "no key colour"),
        ("- defect: a\n  suite: b\n  red:\n    T:\n    - so: what", "a pattern must be text"),
        ("- {suite: b, red: {T: [x]}}", "one of defect, lab and name"),
        ("- {defect: a, suite: b}", "red tests go with FAIL"),
        ("- {defect: a, suite: b, verdict: PASS}\n- {defect: a, suite: b, verdict: PASS}", "there are two of"),
    ],
)
def test_broken_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=said):
        load_table(tmp_path)
