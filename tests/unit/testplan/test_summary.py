# SPDX-License-Identifier: Apache-2.0
"""What stands at the head of log, report and sign-off."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult
from robot.utils import html_format

from testplan.gate import judge
from testplan.page import Links
from testplan.plan import Plan, load_plan
from testplan.results import Results
from testplan.signoff import signoff
from testplan.statistics import tag_options
from testplan.suites import read_tests
from testplan.summary import Summary, skips

from .conftest import SUITE

RunSuite = Callable[..., Results]
WHY = "capability ipv6 is not there: no address"


def summarised(folder: Path) -> Any:
    """The outermost suite of the last run of `run_suite`, as log and report get it."""
    (output,) = folder.rglob("output.xml")
    suite = ExecutionResult(output).suite
    suite.visit(Summary("log.html", "signoff.html"))
    return suite


def test_report_has_verdict_durations_and_skips(run_suite: RunSuite, tmp_path: Path) -> None:
    with_setup = SUITE.replace("Metadata    Sc", "Suite Setup    No Operation\nMetadata    Sc")
    run_suite(with_setup.replace("Log    two", f"Skip    {WHY}"))
    suite = summarised(tmp_path)
    first, *others = suite.doc.splitlines()
    assert re.fullmatch(r"\*Verdict: NOT PROVEN\.\* .+ has no verdict\. \[signoff\.html\|Sign-off\]", first)
    assert f"- *SKIP* [log.html#s1-s1-t2|Second]: {WHY}" in others
    assert re.fullmatch(r"setup \d+\.\d s, tests \d+\.\d s, teardown 0\.0 s", suite.metadata["Durations"])
    assert suite.metadata["Skipped"] == f"1 of nad-01: {WHY}"


def test_report_begins_with_what_a_suite_misused(run_suite: RunSuite, tmp_path: Path) -> None:
    run_suite(SUITE.replace("Log    one", "Nope").replace("Log    two", "Fail    LAB ERROR: dead"))
    first, _, *others = summarised(tmp_path).doc.splitlines()
    assert first.startswith("*Verdict: TEST ERROR.* A suite misused a keyword in 1 of 2 tests. ")
    assert others[:2] == [
        "- *TEST ERROR* [log.html#s1-s1-t1|First]: No keyword with name 'Nope' found.",
        "- *LAB ERROR* [log.html#s1-s1-t2|Second]: dead",
    ]


def test_links_lead_on_whatever_the_message_holds(run_suite: RunSuite, tmp_path: Path) -> None:
    """Robot's markup takes the first bracket for the begin of a link."""
    fail = (
        "Set Test Metadata    Evidence    [evidence/1/index.html|kept]\n    Fail    status.conditions[X|Y] is [Z] | no"
    )
    run_suite(SUITE.replace("Log    one", fail))
    shown = html_format(summarised(tmp_path).doc)
    assert re.findall('href="([^"]*)"', shown)[1:] == ["log.html#s1-s1-t1", "evidence/1/index.html"]
    assert "status.conditions[X¦Y] is [Z] ¦ no" in shown


def test_each_test_leads_to_its_charts_and_to_the_sign_off(run_suite: RunSuite, tmp_path: Path) -> None:
    chart = 'Log    <svg role="img"><title>Timeline: VM</title></svg>    html=yes'
    run_suite(SUITE.replace("Metadata", f"Suite Setup    {chart}\nMetadata", 1))
    for test in summarised(tmp_path).suites[0].tests:
        assert test.metadata["See"] == "[log.html#s1-s1-k1|timeline], [signoff.html#nad-01|sign-off]"


def test_why_tests_take_no_time_is_told_where_setups_act(run_suite: RunSuite, tmp_path: Path) -> None:
    run_suite(SUITE.replace("Metadata", "Suite Setup    Sleep    0.3s\nMetadata", 1))
    assert "the act, such as the change of a network, is in the setup" in summarised(tmp_path).doc


def test_a_run_without_skips_says_nothing_of_them(run_suite: RunSuite, tmp_path: Path) -> None:
    assert skips(run_suite(SUITE).outcomes) == []
    assert "Skipped" not in summarised(tmp_path).metadata


def test_every_scenario_and_every_fixed_tag_is_explained(plan: Plan) -> None:
    options = tag_options([{"p0", "tier2"}, {"p1", "tier1"}], plan)
    documented = {line.partition(":")[0] for line in options["tagdoc"]}
    assert {"nad-01", "vep-140", "cnv-15945", "p0", "negative", "r1"} <= documented
    assert options["tagstatlink"] == ["nad-01:signoff.html#nad-01:sign-off"]
    assert options["tagstatcombine"] == ["p0ANDtier2:P0 in guest and network", "p1ANDtier1:P1 in the API alone"]
    tests = read_tests()
    whole = tag_options([test.tags for test in tests])
    assert {tag for test in tests for tag in test.tags} <= {line.partition(":")[0] for line in whole["tagdoc"]}
    assert all(line.partition(":")[2] for name in ("tagdoc", "tagstatcombine") for line in whole[name])


def test_sign_off_has_a_row_for_each_requirement_and_what_it_rests_on(
    run_suite: RunSuite, plan: Plan, tmp_path: Path
) -> None:
    results = run_suite(SUITE.replace("Log    one", "Fail    NIC <b> still on blue"))
    tests = read_tests(tmp_path / "suites")
    page = signoff(plan, results, judge(results, plan, tests), tests, Links("log.html"))
    assert '<b class="fail">FAIL</b></h1>' in page
    first, second = re.findall(r'<tr id="R\d".*</tr>', page)
    assert '<b class="failed">failed</b>' in first and '<a href="log.html#s1-s1-t1">nad-01 1/2</a>' in first
    assert '<b class="proven">proven</b>' in second and "nad-01 1/1" in second
    assert '<li><span class="id">R3</span>, planned: Later. Not yet.</li>' in page
    assert "First</a>: NIC &lt;b&gt; still on blue" in page
    assert not re.search(r"<script|<link|src=|https?:", page)
    assert set(re.findall('href="([^"]*)"', signoff(plan, results, judge(results, plan, []), []))) == {"matrix.html"}


def test_sign_off_names_the_scenarios_that_were_not_selected_below_the_others(run_suite: RunSuite) -> None:
    """Of the plan itself: most of its scenarios are not in a run of P0."""
    results, whole, tests = run_suite(SUITE), load_plan(), read_tests()
    page = signoff(whole, results, judge(results, whole, tests), tests)
    assert re.findall(r'<tr id="(nad-\d+)"', page) == ["nad-01"]
    named = re.findall(r'<span class="id" id="(nad-\d+)" title="[^"]+">', page.partition("<p>Not selected: ")[2])
    assert named == [scenario.id for scenario in whole.scenarios[1:]]
