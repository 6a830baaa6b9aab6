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
from testplan.matrix import Status, rows
from testplan.plan import Plan, load_plan
from testplan.results import Results
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

    def write(suite: str = SUITE, *, with_log: bool = True) -> dict[str, str]:
        results = run_suite(suite)
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


def test_each_row_has_the_verdict_of_its_tests(run_suite: Callable[..., Results], plan: Plan) -> None:
    def statuses(old: str, new: str) -> list[Status]:
        return [row.status for row in rows(plan, run_suite(SUITE.replace(old, new)))]

    assert statuses("", "") == [Status.PASS, Status.PASS, Status.PLANNED]
    assert statuses("Log    one", "Fail    no") == [Status.FAIL, Status.PASS, Status.PLANNED]
    assert statuses("Log    two", "Fail    LAB ERROR: no") == [Status.LAB_ERROR, Status.LAB_ERROR, Status.PLANNED]
    assert statuses("Log    two", "Fail    TEST ERROR: no") == [Status.TEST_ERROR, Status.TEST_ERROR, Status.PLANNED]
    assert statuses("Log    two", "Skip    no") == [Status.NOT_PROVEN, Status.NOT_PROVEN, Status.PLANNED]
    assert statuses("R1, R2", "R1") == [Status.PASS, Status.NOT_SELECTED, Status.PLANNED]


def test_a_skip_in_order_is_shown_with_its_reason(
    report: Report, write_plan: WritePlan, plan_data: dict[str, Any]
) -> None:
    plan_data["scenarios"][0].update(priority="P1", needs=["localnet"])
    write_plan(plan_data)
    why = "capability localnet is not there: 0 of 2 nodes | none"
    suite = SUITE.replace("p0", "p1").replace("Log    one", f"Skip    {why}").replace("R1, R2", "R2")
    written = report(suite)
    first, second, _ = [line for line in written["matrix.md"].splitlines() if re.match(r"\| R\d", line)]
    assert "| SKIPPED |" in first
    assert f"(SKIP: {why.replace('|', chr(92) + '|')})" in first
    assert "| PASS |" in second
    assert '<span class="skipped">SKIPPED</span>' in written["matrix.html"]
    assert f"(SKIP: {why})" in written["matrix.html"]
    assert f'<skipped message="{why}">' in written["xunit.xml"]


def test_html_is_well_formed_needs_nothing_else_and_links_into_the_log(report: Report) -> None:
    html = report(SUITE.replace("Log    one", "Fail    <b>blue</b> & green"))["matrix.html"]
    _WellFormed().feed(html)
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
    assert [line.split(" | ")[3] for line in table] == ["PASS", "PASS", "planned"]
    assert "[Second](../run/log.html#s1-s1-t2) (PASS)" in table[1]


def test_a_misuse_and_a_fault_of_the_lab_are_told_apart(report: Report) -> None:
    suite = SUITE.replace("Requirements    R1, R2", "Requirements    R2")
    written = report(suite.replace("Log    one", "Nope").replace("Log    two", "Fail    LAB ERROR: dead"))
    lines = written["matrix.md"].splitlines()
    assert lines[0] == "# Some Feature: TEST ERROR"
    first, second, _ = [line for line in lines if re.match(r"\| R\d", line)]
    assert "| TEST ERROR | [First](../run/log.html#s1-s1-t1) (TEST ERROR) |" in first
    assert "| LAB ERROR | [Second](../run/log.html#s1-s1-t2) (LAB ERROR) |" in second
    legend = [line for line in lines if re.match(r"- [A-Z]+ ERROR: ", line)]
    assert [line.partition(":")[0] for line in legend] == ["- TEST ERROR", "- LAB ERROR"]
    for name, element in (("matrix.html", "span"), ("signoff.html", "b")):
        _WellFormed().feed(written[name])
        assert f'<{element} class="test-error">TEST ERROR</{element}>' in written[name]
        assert f'<{element} class="lab-error">LAB ERROR</{element}>' in written[name]
        assert ".test-error {" in written[name]
        assert "a suite misused a keyword, which has to be mended" in written[name]
    assert '<li><b class="test-error">TEST ERROR</b> <a' in written["signoff.html"]
    assert "Second</a>: dead</li>" in written["signoff.html"]
    assert "1 TEST ERROR, 1 LAB ERROR, 1 planned" in written["signoff.html"]


def test_a_run_that_is_green_needs_no_legend(report: Report) -> None:
    written = report()
    assert "ERROR" not in written["matrix.md"] + written["signoff.html"]


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
