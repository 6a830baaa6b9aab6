# SPDX-License-Identifier: Apache-2.0
"""Sign-off and matrix of a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from testplan.__main__ import write_reports
from testplan.gate import judge
from testplan.page import Links
from testplan.plan import Plan, load_plan
from testplan.results import Results
from testplan.signoff import signoff
from testplan.standing import Status, rows
from testplan.suites import read_tests

from .conftest import PLAN, SUITE

Report = Callable[..., dict[str, str]]
WritePlan = Callable[[dict[str, Any]], Path]


@pytest.fixture
def report(
    run_suite: Callable[..., Results], write_plan: WritePlan, plan_data: dict[str, Any], tmp_path: Path
) -> Report:
    """Runs a suite and returns what was written for it, by file name."""

    plan_path = write_plan(plan_data)

    def write(suite: str = SUITE, *, with_log: bool = True, **options: Any) -> dict[str, str]:
        results = run_suite(suite, **options)
        judgement = judge(results, load_plan(plan_path), read_tests(tmp_path / "suites"))
        log = tmp_path / "run" / "log.html"
        log.parent.mkdir()
        if with_log:
            log.touch()
        paths = write_reports(
            results,
            judgement,
            folder=tmp_path / "reports",
            log=log,
            plan_path=plan_path,
            suites=tmp_path / "suites",
        )
        return {path.name: path.read_text(encoding="utf-8") for path in paths}

    return write


@pytest.fixture
def standings(run_suite: Callable[..., Results], plan: Plan, tmp_path: Path) -> Callable[..., list[str]]:
    """Runs a suite and returns what is said of each requirement."""

    def stand(suite: str, **options: Any) -> list[str]:
        results = run_suite(suite, **options)
        return [str(row.standing) for row in rows(plan, results, read_tests(tmp_path / "suites"))]

    return stand


@pytest.mark.parametrize(
    ("old", "new", "options", "expected"),
    [
        ("", "", {}, ["proven", "proven"]),
        ("Log    one", "Fail    no", {}, ["failed", "proven"]),
        ("Log    two", "Fail    LAB ERROR: no", {}, ["partly proven: nad-01 LAB ERROR", "not judged: LAB ERROR"]),
        ("Log    two", "Fail    TEST ERROR: no", {}, ["partly proven: nad-01 TEST ERROR", "not judged: TEST ERROR"]),
        ("Log    two", "Skip    no", {}, ["partly proven: nad-01 skipped", "not judged: skipped"]),
        ("", "", {"test": ["First"]}, ["partly proven: nad-01 selected in part", "not judged: not selected"]),
        (
            "    Log    two",
            "    [Metadata]    Not observed    UDP (web has no python3)\n    Log    two",
            {},
            [
                "partly proven: nad-01 not observed: UDP (web has no python3)",
                "not judged: not observed: UDP (web has no python3)",
            ],
        ),
        (
            "    Log    two",
            "    [Metadata]    Not observed    UDP (web has no python3)\n    Fail    no",
            {},
            ["failed", "failed"],
        ),
        ("", "", {"dryrun": True}, ["not judged: did not run", "not judged: did not run"]),
        ("Log    one", "Fail    no", {"exitonfailure": True}, ["failed", "not judged: did not run"]),
        (
            "Log    one",
            "Fail    LAB ERROR: x",
            {"test": ["First"]},
            ["not judged: nad-01 LAB ERROR, nad-01 selected in part", "not judged: not selected"],
        ),
    ],
)
def test_each_row_has_the_verdict_of_all_tests_that_the_plan_has_for_it(
    standings: Callable[..., list[str]], old: str, new: str, options: dict[str, Any], expected: list[str]
) -> None:
    assert standings(SUITE.replace(old, new), **options) == [*expected, "planned"]


def test_a_row_that_no_test_carries_is_what_the_plan_says_and_never_proven(
    run_suite: Callable[..., Results], plan: Plan
) -> None:
    found = rows(plan, run_suite(SUITE.replace("R1, R2", "R1")), [])
    assert [row.status for row in found] == [Status.PROVEN, Status.NOT_JUDGED, Status.PLANNED]


@pytest.mark.parametrize(("approver", "shown"), [("open", "[ ] open"), ("J. Doe", "J. Doe")])
def test_a_waiver_has_an_approver_and_a_date_or_an_open_box(
    report: Report, write_plan: WritePlan, plan_data: dict[str, Any], approver: str, shown: str
) -> None:
    plan_data["requirements"][2].update(status="waived", approver=approver, approved="2026-01-31")
    write_plan(plan_data)
    page = report()["signoff.html"]
    assert shown in page and "2026-01-31" in page and "Not yet." in page


def test_exclusions_and_scenarios_are_in_the_sign_off(report: Report) -> None:
    page = report(SUITE.replace("Log    one", "Fail    no"))["signoff.html"]
    assert "<li>The rest. Out of scope.</li>" in page
    (row,) = re.findall(r'<tr id="nad-01">.*', page)
    assert '<span class="id">nad-01</span>' in row and '<b class="failed">failed</b>' in row
    assert '<a href="../run/log.html#s1-s1-t1">1/2</a>' in row


def test_the_embedded_cluster_and_its_defects_are_in_every_title(report: Report) -> None:
    version = "embedded cluster https://127.0.0.1:1, Kubernetes v1.36.0+embedded.edit-ignored"
    written = report(metadata=[f"Cluster:{version}"])
    where = "embedded cluster, not a real one; injected defects: edit-ignored"
    assert f"<title>Sign-off: Some Feature: PASS ({where})</title>" in written["signoff.html"]
    assert f"<title>Some Feature: PASS ({where})</title>" in written["matrix.html"]
    assert written["matrix.md"].startswith(f"# Some Feature: PASS ({where})\n")
    for name in ("xunit.xml", "cases.xml"):
        assert f'<property name="Environment" value="{where}"' in written[name]


def test_markup_of_the_plan_is_rendered_and_ids_are_not_broken(
    report: Report, write_plan: WritePlan, plan_data: dict[str, Any]
) -> None:
    plan_data["requirements"][0]["text"] = "An edit of `networkName` <works> as in nad-01."
    write_plan(plan_data)
    written = report()
    for name in ("signoff.html", "matrix.html"):
        assert 'of <code>networkName</code> &lt;works&gt; as in <span class="id">nad-01</span>.' in written[name]


def test_charts_and_evidence_are_linked(run_suite: Callable[..., Results], plan: Plan, tmp_path: Path) -> None:
    chart = 'Log    <svg role="img"><title>{}: VM</title></svg>    html=yes'
    setup = f"Suite Setup    {chart.format('Timeline')}\nSuite Teardown    {chart.format('Connectivity')}\n"
    kept = "Metadata    Evidence    [evidence/a/index.html|kept]\n"
    results = run_suite(SUITE.replace("Metadata", setup + kept + "Metadata", 1).replace("Log    one", "Fail    no"))
    assert results.outcomes[0].charts == {"timeline": "s1-s1-k1", "connectivity": "s1-s1-k2"}
    tests = read_tests(tmp_path / "suites")
    page = signoff(plan, results, judge(results, plan, tests), tests, Links("log.html"))
    links = (
        '<a href="log.html#s1-s1-k1">timeline</a>, <a href="log.html#s1-s1-k2">connectivity</a>, '
        '<a href="evidence/a/index.html">evidence</a>'
    )
    assert page.count(links) == 2, "at the failure and at the scenario"


def test_a_skip_in_order_is_shown_with_its_reason(
    report: Report, write_plan: WritePlan, plan_data: dict[str, Any]
) -> None:
    plan_data["scenarios"][0].update(priority="P1", needs=["localnet"])
    write_plan(plan_data)
    why = "capability localnet is not there: 0 of 2 nodes | none"
    suite = SUITE.replace("p0", "p1").replace("Log    one", f"Skip    {why}").replace("R1, R2", "R2")
    written = report(suite)
    first, second, _ = [line for line in written["matrix.md"].splitlines() if re.match(r"\| R\d", line)]
    assert "| not judged: skipped |" in first
    assert f"(SKIP: {why.replace('|', chr(92) + '|')})" in first
    assert "| proven |" in second
    assert '<b class="not-judged">not judged</b><br>skipped' in written["matrix.html"]
    assert f"(SKIP: {why})" in written["matrix.html"]
    assert f'<skipped message="{why}">' in written["xunit.xml"]


def test_html_is_well_formed_needs_nothing_else_and_links_into_the_log(report: Report) -> None:
    written = report(SUITE.replace("Log    one", "Fail    <b>blue</b> & green"))
    html = written["matrix.html"]
    for name in ("matrix.html", "signoff.html"):
        _WellFormed().feed(written[name])
    assert not re.search(r"<script|<link|src=|https?:", html)
    assert '<a href="../run/log.html#s1-s1-t1">First</a> (FAIL)' in html
    assert "&lt;b&gt;blue&lt;/b&gt; &amp; green" in html
    for requirement in PLAN["requirements"]:
        assert requirement["text"] in html


def test_without_a_log_nothing_is_linked(report: Report) -> None:
    written = report(with_log=False)
    assert "log.html" not in written["matrix.html"] + written["matrix.md"]


def test_markdown_has_one_line_a_requirement(report: Report) -> None:
    lines = report()["matrix.md"].splitlines()
    assert lines[0] == "# Some Feature: PASS"
    table = [line for line in lines if re.match(r"\| R\d", line)]
    assert [line.split(" | ")[3] for line in table] == ["proven", "proven", "planned"]
    assert "[Second](../run/log.html#s1-s1-t2) (PASS)" in table[1]


def test_a_misuse_and_a_fault_of_the_lab_are_told_apart(report: Report) -> None:
    suite = SUITE.replace("Requirements    R1, R2", "Requirements    R2")
    written = report(suite.replace("Log    one", "Nope").replace("Log    two", "Fail    LAB ERROR: dead"))
    lines = written["matrix.md"].splitlines()
    assert lines[0] == "# Some Feature: TEST ERROR"
    first, second, _ = [line for line in lines if re.match(r"\| R\d", line)]
    assert "| not judged: TEST ERROR | [First](../run/log.html#s1-s1-t1) (TEST ERROR) |" in first
    assert "| not judged: LAB ERROR | [Second](../run/log.html#s1-s1-t2) (LAB ERROR) |" in second
    for name in ("matrix.html", "signoff.html"):
        _WellFormed().feed(written[name])
        assert '<b class="test-error">TEST ERROR</b></h1>' in written[name]
        assert ".test-error {" in written[name]
    assert '<li><b class="test-error">TEST ERROR</b> <a' in written["signoff.html"]
    assert "Second</a>: dead</li>" in written["signoff.html"]
    assert "Requirements: 2 not judged, 1 planned." in written["signoff.html"]


class _WellFormed(HTMLParser):
    """Fails on an element that is closed in the wrong place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
