# SPDX-License-Identifier: Apache-2.0
"""The gate's verdict and exit code, on results that Robot itself wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from testplan.__main__ import USAGE_ERROR, main
from testplan.gate import Exit, Judgement, Word, judge
from testplan.plan import Plan, load_plan
from testplan.results import Results, Verdict, failures, verdict_of_failure
from testplan.suites import in_ranges, read_tests

from .conftest import SUITE

Run = Callable[..., Results]
Judge = Callable[..., Judgement]
WritePlan = Callable[[dict[str, Any]], Path]


@pytest.fixture
def judged(run_suite: Run, plan: Plan, tmp_path: Path) -> Judge:
    """Runs a changed suite and judges it."""

    def run(old: str = "", new: str = "", suite: str = SUITE, **options: object) -> Judgement:
        assert old in suite
        results = run_suite(suite.replace(old, new, 1) if old else suite, **options)
        return judge(results, plan, read_tests(tmp_path / "suites"))

    return run


def test_every_p0_passed(judged: Judge) -> None:
    judgement = judged()
    assert judgement.exit == Exit.PROVEN
    assert str(judgement) == "Verdict: PASS: 2 of 2 tests passed (nad-01); every P0 scenario is proven"


def test_a_failure_is_the_products(judged: Judge) -> None:
    judgement = judged("Log    one", "Fail    VM demo/web: still on blue\n    ...    more")
    assert judgement.exit == Exit.PRODUCT_FAILED
    assert judgement.details == ("FAIL      First: VM demo/web: still on blue",)


@pytest.mark.parametrize(
    "where",
    [
        "    Fail    LAB ERROR: dead",
        "    [Setup]    Fail    LAB ERROR: dead\n    No Operation",
        "    No Operation\n    [Teardown]    Fail    LAB ERROR: dead",
        "    Fail    LAB ERROR: dead\n    [Teardown]    Fail    LAB ERROR: dead too",
        "    Run Keyword And Continue On Failure    Fail    LAB ERROR: dead\n    Fail    LAB ERROR: b",
    ],
)
def test_the_labs_failures_are_the_labs(judged: Judge, where: str) -> None:
    judgement = judged("    Log    one", where)
    assert (judgement.word, judgement.exit) == ("LAB ERROR", 2)
    assert judgement.details == ("LAB ERROR First: dead",)


def test_a_wait_that_robot_ended_is_the_labs_unless_the_product_failed_before(judged: Judge) -> None:
    hang = "    [Timeout]    10 ms\n    Sleep    2 s"
    judgement = judged("    Log    one", hang)
    assert judgement.word == "LAB ERROR"
    assert judgement.details == ("LAB ERROR First: Test timeout 10 milliseconds exceeded.",)
    over = "Test timeout 10 milliseconds exceeded."
    both = f"Several failures occurred:\n\n1) VM demo/web: still on blue\n\n2) {over}"
    assert [verdict_of_failure(message) for message in (over, both)] == [Verdict.LAB_ERROR, Verdict.FAIL]
    assert judged("    Log    one", "    Fail    Test timeout 2 s exceeded. Or so").word == "FAIL"


def test_a_suite_setup_that_the_lab_broke_says_so_once(judged: Judge) -> None:
    judgement = judged("*** Test Cases", "Suite Setup    Fail    LAB ERROR: one node only\n*** Test Cases")
    assert judgement.exit == Exit.LAB_ERROR
    assert judgement.headline == "the lab kept 2 of 2 tests from judging the product"
    assert judgement.details == ("LAB ERROR 2 tests: one node only",)


def test_a_suite_teardown_that_the_lab_broke_is_the_labs(judged: Judge) -> None:
    judgement = judged("*** Test Cases", "Suite Teardown    Fail    LAB ERROR: stuck\n*** Test Cases")
    assert judgement.exit == Exit.LAB_ERROR


@pytest.mark.parametrize(
    "body", ["Should Contain    ${5}    x", "No Such Keyword", "Log    ${NOTHING}", "Log", "Import Library    x.y"]
)
def test_a_test_that_is_itself_broken_does_not_blame_the_product(judged: Judge, body: str) -> None:
    judgement = judged("Log    one", body)
    assert (judgement.word, judgement.exit) == ("TEST ERROR", 2)
    assert judgement.headline == "a suite misused a keyword in 1 of 2 tests"
    assert [detail.partition(": ")[0] for detail in judgement.details] == ["TEST ERROR First"]


def test_a_suite_setup_that_misuses_a_keyword_says_so_once(judged: Judge) -> None:
    judgement = judged("*** Test Cases", "Suite Setup    Fail    TEST ERROR: no NIC blue\n*** Test Cases")
    assert str(judgement) == (
        "Verdict: TEST ERROR: a suite misused a keyword in 2 of 2 tests\n  TEST ERROR 2 tests: no NIC blue"
    )


def test_a_misuse_weighs_more_than_the_lab_and_both_are_told(judged: Judge) -> None:
    suite = SUITE.replace("Log    two", "Fail    LAB ERROR: dead")
    judgement = judged("Log    one", "Fail    LAB ERROR: slow\n    [Teardown]    Nope", suite=suite)
    assert str(judgement).splitlines() == [
        "Verdict: TEST ERROR: a suite misused a keyword in 1 of 2 tests",
        "  TEST ERROR First: No keyword with name 'Nope' found.",
        "  LAB ERROR First: slow",
        "  LAB ERROR Second: dead",
    ]


def test_the_product_weighs_more_than_a_misuse_and_both_are_told(judged: Judge) -> None:
    judgement = judged("Log    one", "Fail    TEST ERROR: no NIC\n    [Teardown]    Fail    NIC still on blue")
    assert str(judgement).splitlines() == [
        "Verdict: FAIL: the product failed 1 of 2 tests",
        "  FAIL      First: NIC still on blue",
        "  TEST ERROR First: no NIC",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "    Fail    NIC still on blue\n    [Teardown]    Fail    LAB ERROR: console dead",
        "    Run Keyword And Continue On Failure    Fail    LAB ERROR: a\n    Fail    NIC still on blue",
        "    Should Be Equal    blue    green",
    ],
)
def test_the_lab_does_not_hide_a_failure_of_the_product(judged: Judge, body: str) -> None:
    assert judged("    Log    one", body).exit == Exit.PRODUCT_FAILED


def test_the_product_weighs_more_than_the_lab(judged: Judge) -> None:
    suite = SUITE.replace("Log    two", "Fail    NIC still on blue")
    judgement = judged("Log    one", "Fail    LAB ERROR: dead", suite=suite)
    assert judgement.exit == Exit.PRODUCT_FAILED
    assert [detail.split()[0] for detail in judgement.details] == ["FAIL", "LAB"]


def test_a_p0_that_was_skipped_is_not_proven(judged: Judge) -> None:
    judgement = judged("Log    one", "Skip    no second node: 1")
    assert judgement.exit == Exit.NOT_PROVEN
    assert judgement.details == ("SKIP      First: no second node: 1",)


def test_a_run_that_skipped_all_is_not_proven_although_robot_is_content(judged: Judge) -> None:
    assert judged(skip=["p0"]).exit == Exit.NOT_PROVEN


@pytest.mark.parametrize("options", [{"test": ["Second"]}, {"include": ["r2"]}, {"exclude": ["r2"]}])
def test_a_part_of_p0_is_partial_and_no_sign_off(judged: Judge, options: dict[str, list[str]]) -> None:
    judgement = judged(**options)
    assert (judgement.word, judgement.exit) == (Word.PARTIAL, 0)
    assert judgement.headline == "1 of 1 test passed (nad-01); not a sign-off: 1 of 2 P0 tests were selected"


@pytest.mark.parametrize("options", [{}, {"include": ["p0"]}, {"exclude": ["p1"]}, {"include": ["nad-01"]}])
def test_all_of_p0_was_asked_for_however_it_was_selected(judged: Judge, options: dict[str, list[str]]) -> None:
    assert judged(**options).word == Word.PASS
    judgement = judged("Log    one", "Skip    no second node: 1", **options)
    assert (judgement.word, judgement.exit) == (Word.NOT_PROVEN, 3)


def test_a_part_of_p0_that_was_skipped_is_not_proven(judged: Judge) -> None:
    assert judged("Log    one", "Skip    no second node: 1", test=["First"]).exit == Exit.NOT_PROVEN


def test_what_was_selected_and_left_no_result_is_missing(run_suite: Run, plan: Plan, tmp_path: Path) -> None:
    """Such as a suite whose process was killed."""
    results = run_suite(SUITE, test=["Second"])
    judgement = judge(results, plan, read_tests(tmp_path / "suites"), {"First", "Second"})
    assert judgement.exit == Exit.NOT_PROVEN
    assert judgement.details == ("MISSING   First: selected, and not in the results",)


def test_a_p0_scenario_without_any_test_is_told(run_suite: Run, plan: Plan) -> None:
    judgement = judge(run_suite(SUITE.replace("nad-01", "nad-99")), plan, [])
    assert judgement.word == Word.PARTIAL
    assert judgement.headline.endswith("not a sign-off: P0 scenario nad-01 has no test in the suites")


def test_a_lane_without_p0_is_judged_on_what_it_selected(judged_p1: Judge) -> None:
    judgement = judged_p1("Log    one", "Log    one", include=["nad-02"])
    assert (judgement.word, judgement.exit) == (Word.PARTIAL, 0)
    assert judgement.headline == "2 of 2 tests passed (nad-02); not a sign-off: no P0 test was selected"
    assert judged_p1("Log    one", "Skip    no localnet", include=["nad-02"]).exit == Exit.NOT_PROVEN
    assert judged_p1("Log    one", "Fail    no", include=["nad-02"]).exit == Exit.PRODUCT_FAILED


def test_all_that_a_message_lists_is_told(judged: Judge) -> None:
    """A cluster that lacks several things says so in one message."""
    judgement = judged(
        "Log    one",
        "Fail    LAB ERROR: 2 things are missing:${ITEM}Multus${ITEM}nodes\\nmore",
        variable=["ITEM:\n  - "],
    )
    assert judgement.details == ("LAB ERROR First: 2 things are missing:", "          - Multus", "          - nodes")


def test_an_embedded_cluster_and_its_defects_are_told_on_the_console(
    run_suite: Run, plan: Plan, tmp_path: Path
) -> None:
    version = "embedded cluster https://127.0.0.1, Kubernetes v1.36.0+embedded.edit-ignored.a-b"
    results = run_suite(SUITE, metadata=[f"Cluster:{version}"])
    judged = judge(results, plan, read_tests(tmp_path / "suites"))
    where = "embedded cluster, not a real one; injected defects: edit-ignored, a-b"
    assert str(judged) == f"Verdict: PASS: 2 of 2 tests passed (nad-01); every P0 scenario is proven ({where})"


NO_LOCALNET = (
    "capability localnet is not there: no OVN-Kubernetes in namespaces openshift-ovn-kubernetes, ovn-kubernetes"
)
SETUP = "*** Test Cases ***"


@pytest.fixture
def judged_p1(run_suite: Run, write_plan: WritePlan, plan_data: dict[str, Any], tmp_path: Path) -> Judge:
    """Runs the P0 suite and one of a P1 scenario that needs localnet, changed at one place, and judges both."""

    def run(old: str, new: str, needs: Sequence[str] = ("localnet",), **options: object) -> Judgement:
        scenario = {**plan_data["scenarios"][0], "id": "nad-02", "priority": "P1", "external": []}
        plan_data["scenarios"][1:] = [scenario | ({"needs": list(needs)} if needs else {})]
        plan = load_plan(write_plan(plan_data))
        p1 = SUITE.replace("p0", "p1").replace("nad-01", "nad-02")
        assert old in p1
        results = run_suite(SUITE, p1.replace(old, new, 1), **options)
        return judge(results, plan, read_tests(tmp_path / "suites"))

    return run


@pytest.mark.parametrize(
    ("old", "new", "tests"),
    [
        ("Log    one", f"Skip    {NO_LOCALNET}", "First"),
        ("Log    one", f"No Operation\n    [Setup]    Skip    {NO_LOCALNET}", "First"),
        (SETUP, f"Suite Setup    Skip    {NO_LOCALNET}\n{SETUP}", "2 tests"),
    ],
)
def test_a_skip_for_what_the_scenario_needs_is_in_order_and_told(
    judged_p1: Judge, old: str, new: str, tests: str
) -> None:
    judgement = judged_p1(old, new)
    assert judgement.exit == Exit.PROVEN
    passed, skipped = (3, 1) if tests == "First" else (2, 2)
    assert judgement.headline.startswith(f"{passed} of 4 tests passed, {skipped} skipped for what the cluster lacks (")
    assert judgement.details == (f"SKIP      {tests}: {NO_LOCALNET}",)


@pytest.mark.parametrize(
    ("needs", "skip"),
    [
        ((), f"Skip    {NO_LOCALNET}"),
        (("ipv6",), f"Skip    {NO_LOCALNET}"),
        (("localnet",), "Skip    no localnet here"),
        (("localnet",), f"Skip    because {NO_LOCALNET}"),
        (("localnet",), "Skip    capability localnet"),
        (("localnet",), f"Skip    {NO_LOCALNET}\n    [Teardown]    Fail    LAB ERROR: NAD demo/blue is still there"),
        (("localnet",), f"Skip    {NO_LOCALNET}\n    [Teardown]    Fail    NIC still on blue"),
    ],
    ids=["nothing needed", "something else needed", "no reason", "reason not first", "not measured", "lab", "product"],
)
def test_any_other_skip_is_not_proven(judged_p1: Judge, needs: Sequence[str], skip: str) -> None:
    judgement = judged_p1("Log    one", skip, needs)
    assert judgement.exit == Exit.NOT_PROVEN
    assert judgement.headline == "1 of what was asked for has no verdict"


def test_a_skip_by_an_option_of_robot_is_not_proven(judged_p1: Judge) -> None:
    assert judged_p1("Log    one", "Log    one", skip=["nad-02"]).exit == Exit.NOT_PROVEN


def test_a_run_that_only_skipped_is_not_proven_however_good_the_reasons(judged_p1: Judge) -> None:
    judgement = judged_p1(SETUP, f"Suite Setup    Skip    {NO_LOCALNET}\n{SETUP}", include=["nad-02"])
    assert judgement.exit == Exit.NOT_PROVEN
    assert judgement.headline == "no test passed; 2 of 2 tests did not run to a verdict"


def test_a_p0_is_not_excused_by_what_it_needs(
    run_suite: Run, write_plan: WritePlan, plan_data: dict[str, Any], tmp_path: Path
) -> None:
    plan_data["scenarios"][0]["needs"] = ["localnet"]
    plan = load_plan(write_plan(plan_data))
    results = run_suite(SUITE.replace("Log    one", f"Skip    {NO_LOCALNET}"))
    judgement = judge(results, plan, read_tests(tmp_path / "suites"))
    assert judgement.exit == Exit.NOT_PROVEN
    assert judgement.headline == "1 of what was asked for has no verdict"


def test_a_skip_in_order_does_not_hide_a_failure(judged_p1: Judge) -> None:
    broken = f"Skip    {NO_LOCALNET}\n\nThird\n    Fail    NIC still on blue"
    judgement = judged_p1("Log    one", broken)
    assert judgement.exit == Exit.PRODUCT_FAILED
    assert [detail.split()[0] for detail in judgement.details] == ["FAIL", "SKIP"]


@pytest.mark.parametrize("body", ["Log    one", "Nested", "IF    True    Log    one"])
def test_a_dry_run_proves_nothing(judged: Judge, body: str) -> None:
    suite = SUITE + "\n*** Keywords ***\nNested\n    Deeper\nDeeper\n    Log    x\n"
    assert judged("Log    one", body, suite=suite, dryrun=True).exit == Exit.NOT_PROVEN
    assert judged("Log    one", body, suite=suite).exit == Exit.PROVEN


def test_tests_that_an_earlier_failure_kept_from_running_are_not_failures(run_suite: Run) -> None:
    results = run_suite(SUITE.replace("Log    one", "Fail    no"), exitonfailure=True)
    assert [outcome.verdict for outcome in results.outcomes] == [Verdict.FAIL, Verdict.NOT_RUN]


def test_metadata_of_the_suite_is_carried_to_its_tests(run_suite: Run) -> None:
    outcome = run_suite(SUITE).outcomes[1]
    assert outcome.metadata == {"Scenario": "nad-01", "Requirements": "R1, R2"}
    assert (outcome.scenario, outcome.requirements) == ("nad-01", ["R1", "R2"])


def test_failures_that_robot_joined_are_taken_apart() -> None:
    message = (
        "Parent suite setup failed:\nSeveral failures occurred:\n\n1) LAB ERROR: a\nmore of a\n\n2) b"
        "\n\nAlso teardown failed:\nc\n\nAlso parent suite teardown failed:\nd"
    )
    assert failures(message) == ["LAB ERROR: a\nmore of a", "b", "c", "d"]
    assert failures("Seen:\n\n1) one\n\n2) two") == ["Seen:\n\n1) one\n\n2) two"]


@pytest.mark.parametrize("content", [None, "not xml", "<other/>"])
def test_without_a_usable_result_nothing_is_proven(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "output.xml"
    if content is not None:
        output.write_text(content, encoding="utf-8")
    assert main(["gate", str(output)]) == Exit.NOT_PROVEN
    printed = capsys.readouterr().out
    assert printed.startswith("Verdict: NOT PROVEN: no usable result file: ")
    assert str(output) in printed


def test_wrong_usage_has_a_code_of_its_own() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["gate"])
    assert caught.value.code == USAGE_ERROR


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["nad-02"], "nad-02"),
        (["nad-10", "nad-09"], "nad-09, nad-10"),
        (["nad-01", "nad-03", "nad-04", "nad-05", "nad-25"], "nad-01, nad-03 to nad-05, nad-25"),
        ([], ""),
    ],
)
def test_scenarios_in_a_row_are_named_by_the_first_and_the_last(ids: list[str], said: str) -> None:
    assert in_ranges(ids) == said


def test_p0_that_could_not_observe_all_is_no_sign_off(run_suite: Run, plan: Plan, tmp_path: Path) -> None:
    lacks = "    [Metadata]    Not observed    UDP (web has no python3)\n    Log    two"
    results = run_suite(SUITE.replace("    Log    two", lacks))
    judgement = judge(results, plan, read_tests(tmp_path / "suites"))
    assert judgement.word == Word.PARTIAL
    assert "not a sign-off: 1 of 2 tests could not observe all, such as UDP (web has no" in judgement.headline
