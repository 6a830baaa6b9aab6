# SPDX-License-Identifier: Apache-2.0
"""The files of a run as a browser shows them, from the disk: what they have to show is there, and nothing complains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from robot.api import ExecutionResult, ResultVisitor
from robot.rebot import rebot

from testplan.gate import judge
from testplan.page import Links
from testplan.plan import load_plan
from testplan.results import Outcome, Results, Verdict, read_results
from testplan.signoff import signoff
from testplan.suites import read_tests
from tests.browser.causes import load_causes, untold
from tests.browser.conftest import DEFECT, SeenRun
from tests.browser.looking import PAGES, broken_links, flaws, opens_in
from tests.browser.webdriver import Browser
from tests.sample.pages import SAMPLE, looks
from tests.sample.pictures import EVIDENCE

EXPAND = "expandAll('s1')"
"""Robot builds what is folded only when it is unfolded."""


class WaitLines(ResultVisitor):  # type: ignore[misc]
    """How many lines each keyword that waits has left, by its place; what is folded away or drawn is no line."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def start_keyword(self, keyword: Any) -> None:
        if "Wait" in keyword.name or any(str(argument).startswith("within=") for argument in keyword.args):
            said = [one for one in keyword.body if one.type == one.MESSAGE and one.level not in ("TRACE", "DEBUG")]
            self.lines[f"{keyword.id} {keyword.name}"] = sum(not message.html for message in said)


def evidence(run: SeenRun) -> Path:
    """That of the test on the boot; the whole comparison is red of the same cause."""
    pages = sorted(run.folder.glob("evidence/*/index.html"))
    return next(page for page in pages if "VM And Guest Are Not Rebooted" in page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_without_a_complaint_and_its_links_lead_somewhere(run: SeenRun, window: Browser, name: str) -> None:
    window.open(run.folder / name)
    window.wait_for("document.title")
    assert broken_links(window) == []
    assert window.complaints() == []


def test_log_shows_timeline_and_connectivity(run: SeenRun, window: Browser) -> None:
    window.open(run.folder / "log.html")
    window.run(EXPAND)
    window.wait_for("document.querySelectorAll('svg[role=img]').length >= 2")
    titles = window.run("return [...document.querySelectorAll('svg[role=img] > title')].map(t => t.textContent)")
    assert any(title.startswith("Timeline: ") for title in titles)
    assert any(title.startswith("Connectivity: ") for title in titles)
    assert window.run("return document.querySelectorAll('svg[role=img] rect').length") > 10
    width = (
        "return Math.max(...[...document.querySelectorAll('svg[role=img]')].map(s => s.getBoundingClientRect().width))"
    )
    assert 300 < window.run(width) <= 1200
    assert broken_links(window) == []
    assert window.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_evidence_says_the_cause_on_its_first_screen(run: SeenRun, window: Browser, scheme: str) -> None:
    window.prefer(scheme)
    window.open(evidence(run))
    first = window.run("return document.querySelector('h1').textContent")
    assert "vm-under-test" in first and "boot id" in first
    below = "return document.querySelector('#signs').getBoundingClientRect().bottom <= window.innerHeight"
    assert window.run(below)
    assert "rebooted" in window.run("return document.querySelector('#signs').textContent")
    colours = "const s = getComputedStyle(document.documentElement); return [s.colorScheme, s.color]"
    assert window.run(colours)[1] == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")
    assert broken_links(window) == []
    assert window.complaints() == []
    window.prefer("light")


def test_first_line_and_first_screen_tell_the_cause(run: SeenRun, window: Browser) -> None:
    (cause,) = [cause for cause in load_causes() if cause.defect == DEFECT]
    outcomes = read_results(run.folder / "output.xml").outcomes
    assert untold(cause, outcomes, run.folder, window) == []
    assert len(untold(replace(cause, message="x{9}", screen=["y{9}"]), outcomes, run.folder, window)) == 2


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_nothing_is_wrong_with_the_look_of_a_run(run: SeenRun, window: Browser) -> None:
    assert flaws(run.folder, window) == []
    assert opens_in(window, run.folder / "log.html") < 2


def test_a_wait_costs_one_line_of_the_log(run: SeenRun) -> None:
    waits = WaitLines()
    ExecutionResult(run.folder / "output.xml").visit(waits)
    assert len(waits.lines) > 10
    assert {name: count for name, count in waits.lines.items() if count > 1} == {}


def test_report_leads_to_the_evidence(run: SeenRun, window: Browser) -> None:
    window.open(run.folder / "report.html", "#totals?all")
    window.wait_for("document.querySelector('a[href*=\"evidence/\"]')")
    for word in ("Verdict:", "Durations:", "Profile:", "KubeVirt:"):
        assert word in window.run("return document.body.textContent"), word
    assert broken_links(window) == []


def test_sign_off_prints_on_two_pages(run: SeenRun, window: Browser) -> None:
    window.open(run.folder / "signoff.html")
    assert window.run("return document.querySelectorAll('tbody tr').length") >= 8
    kept = len(list(run.folder.glob("evidence/*/index.html")))
    links = "[...document.querySelectorAll('a[href*=\"evidence/\"]')].map(link => link.getAttribute('href'))"
    assert window.run(f"return new Set({links}).size") == kept > 0
    assert 1 <= window.pages() <= 2


def test_the_sample_looks_like_a_run_of_today(run: SeenRun) -> None:
    """Its charts and evidence were drawn when it was recorded."""
    today, sample = looks(evidence(run).read_text(encoding="utf-8")), looks((SAMPLE / EVIDENCE).read_text("utf-8"))
    assert today - sample == set(), "docs/sample is out of date: run python -m tests.sample"
    # Which states and sections there are depends on what happened.
    assert {one for one in sample - today if not one.startswith(("lane: ", "h2: "))} == set()


@pytest.mark.timeout(300)
def test_nothing_is_wrong_with_the_look_of_the_sample(window: Browser) -> None:
    assert flaws(SAMPLE, window) == []


def test_merged_results_lead_to_the_evidence_as_well(run: SeenRun, window: Browser) -> None:
    output = str(run.folder / "output.xml")
    merged = {"outputdir": str(run.folder), "log": "merged-log.html", "report": "merged-report.html"}
    rebot(output, output, merge=True, stdout=None, **merged)
    window.open(run.folder / "merged-report.html", "#totals?all")
    window.wait_for("document.querySelector('a[href*=\"evidence/\"]')")
    assert broken_links(window) == []


def test_sign_off_of_a_whole_bad_run_prints_on_two_pages(window: Browser, tmp_path: Path) -> None:
    outcomes = tuple(
        Outcome(
            test.name,
            test.suite,
            f"s1-t{number}",
            Verdict.FAIL if number % 10 == 0 else Verdict.PASS,
            f"VM nad-swap-{number}/vm-under-test: " + "expected what it should be, seen was what it is; " * 9,
            1.0,
            tuple(test.tags),
            {"Requirements": ", ".join(test.requirements), "Evidence": f"[evidence/{number}/index.html|kept]"},
        )
        for number, test in enumerate(read_tests())
    )
    facts = dict.fromkeys(
        ("Cluster", "KubeVirt", "Nodes", "Profile", "Tests", "Run"), "a value of some length, and more"
    )
    results = Results("Suites", outcomes, facts, None, 300.0, "Robot")
    plan, tests = load_plan(), read_tests()
    page = tmp_path / "signoff.html"
    page.write_text(signoff(plan, results, judge(results, plan, tests), tests, Links("log.html")), encoding="utf-8")
    window.open(page)
    assert window.run("return document.querySelectorAll('tbody tr').length") > 35
    assert window.pages() == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<a href='signoff.html#gone'>x</a>", "signoff.html#gone leads nowhere"),
        ("<a href='log.html#s1-t9'>x</a>", "log.html#s1-t9 leads nowhere"),
        ("<p style='width:3000px'>far</p>", "page is wider than the window"),
        ("<table><td style='max-width:2em;overflow:hidden'>unbreakable-word</table>", "cut off: unbreakable-word"),
        ("<svg role=img width=99 height=20><text x=90 y=9>label</text></svg>", "cut off: label"),
        ("<svg role=img width=99 height=20><text y=9>one</text><text x=2 y=9>two</text></svg>", 'lies over "two": one'),
        ("<b class=pass style='color:#fff'>PASS</b>", "light: faint: PASS"),
    ],
)
def test_each_flaw_of_a_page_is_noticed(
    window: Browser, tmp_path: Path, run_suite_output: Path, body: str, said: str
) -> None:
    for name in ("log.html", "report.html", "matrix.html"):
        (tmp_path / name).write_text("<title>t</title><p id=s1></p>", encoding="utf-8")
    (tmp_path / "output.xml").write_bytes(run_suite_output.read_bytes())
    page = "<!DOCTYPE html><title>t</title><style>:root { color-scheme: light dark }</style>"
    (tmp_path / "signoff.html").write_text(page + body, encoding="utf-8")
    assert any(said in line for line in flaws(tmp_path, window)), flaws(tmp_path, window)


def test_what_is_wrong_with_a_page_is_noticed(window: Browser, tmp_path: Path) -> None:
    bad = "<a href='gone.html'>x</a><p id=s1></p><script>console.error('oh')</script>" + "<p style='height:99in'>x" * 9
    for name in ("log.html", "report.html", "signoff.html"):
        (tmp_path / name).write_text(f"<title>t</title>{bad}", encoding="utf-8")
    found = "\n".join(flaws(tmp_path, window))
    for said in ("matrix.html is not there", "gone.html leads nowhere", "oh", "pages when printed, more than 2"):
        assert said in found, said
