"""What stands at the head of log, report and sign-off."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult

from testplan.gate import judge
from testplan.plan import Plan, load_plan
from testplan.results import Results, read_results
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
    suite.visit(Summary())
    return suite


def test_report_has_verdict_durations_and_skips(run_suite: RunSuite, tmp_path: Path) -> None:
    with_setup = SUITE.replace("Metadata    Sc", "Suite Setup    No Operation\nMetadata    Sc")
    run_suite(with_setup.replace("Log    two", f"Skip    {WHY}"))
    suite = summarised(tmp_path)
    first, *others = suite.doc.splitlines()
    assert re.fullmatch(r"\*Verdict: NOT PROVEN\.\* .+ has no verdict\. \[signoff\.html\|Sign-off\]", first)
    assert "- MISSING   RestartRequired Is Never Set (P0 scenario nad-01)" in others
    assert re.fullmatch(r"setup \d+\.\d s, tests \d+\.\d s, teardown 0\.0 s", suite.metadata["Durations"])
    assert suite.metadata["Skipped"] == f"1 of nad-01: {WHY}"


def test_report_begins_with_what_a_suite_misused(run_suite: RunSuite, tmp_path: Path) -> None:
    run_suite(SUITE.replace("Log    one", "Nope").replace("Log    two", "Fail    LAB ERROR: dead"))
    first, _, *others = summarised(tmp_path).doc.splitlines()
    assert first.startswith("*Verdict: TEST ERROR.* A suite misused a keyword in 1 of 2 tests. ")
    assert others[:2] == ["- TEST ERROR First: No keyword with name 'Nope' found.", "- LAB ERROR Second: dead"]


def test_a_run_without_skips_says_nothing_of_them(run_suite: RunSuite, tmp_path: Path) -> None:
    assert skips(run_suite(SUITE).outcomes) == []
    assert "Skipped" not in summarised(tmp_path).metadata


def test_every_scenario_and_every_fixed_tag_is_explained(plan: Plan) -> None:
    options = tag_options(plan)
    documented = {line.partition(":")[0] for line in options["tagdoc"]}
    assert {"nad-01", "vep-140", "cnv-15945", "p0", "negative"} <= documented
    assert options["tagstatlink"] == ["nad-01:signoff.html#nad-01:sign-off"]
    assert "p0ANDtier2:P0 in guest and network" in options["tagstatcombine"]
    assert not [line for line in options["tagstatcombine"] if line.startswith("p0ANDtier1")]
    whole = tag_options(load_plan())
    assert all(line.partition(":")[2] for name in ("tagdoc", "tagstatcombine") for line in whole[name])


def test_sign_off_has_a_row_for_each_requirement_and_what_it_rests_on(
    run_suite: RunSuite, plan: Plan, tmp_path: Path
) -> None:
    suite = SUITE.replace("Log    one", "Fail    NIC <b> still on blue")
    results = run_suite(suite)
    page = signoff(plan, results, judge(results, plan, read_tests(tmp_path / "suites")), "log.html")
    assert '<b class="fail">FAIL</b></h1>' in page
    first, second = re.findall(r'<tr id="R\d".*</tr>', page)
    assert '<b class="fail">FAIL</b>' in first and '<a href="log.html#s1-s1-t1">nad-01 1/2</a>' in first
    assert '<b class="pass">PASS</b>' in second and "nad-01 1/1" in second
    assert "<li>R3, planned: Later. Not yet.</li>" in page
    assert "First</a>: NIC &lt;b&gt; still on blue" in page
    assert '<span id="nad-01">' in page
    assert not re.search(r"<script|<link|src=|https?:", page)
    assert "href=" not in signoff(plan, results, judge(results, plan, []), "")


def test_evidence_of_a_failed_test_is_linked(run_suite: RunSuite, plan: Plan, tmp_path: Path) -> None:
    setting = "Metadata    Scenario    nad-01\nMetadata    Evidence    [evidence/a-1-x/index.html|kept]"
    suite = SUITE.replace("Metadata    Scenario    nad-01", setting).replace("Log    one", "Fail    no")
    run_suite(suite)
    (output,) = tmp_path.rglob("output.xml")
    results = read_results(output)
    page = signoff(plan, results, judge(results, plan, []), "log.html")
    assert '(<a href="evidence/a-1-x/index.html">evidence</a>)' in page
