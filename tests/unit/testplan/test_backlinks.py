# SPDX-License-Identifier: Apache-2.0
"""Evidence leads back to its test, its requirements and the sign-off, and says whose fault it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testplan.backlinks import link_back
from testplan.page import Links
from testplan.results import Results

from .conftest import SUITE

PAGE = '<h1>It failed</h1><nav id="back">Perhaps the product.</nav><p>more</p>'
KEPT = "    [Metadata]    Evidence    [evidence/a-1/index.html|kept]\n    [Metadata]    Requirements    R1\n"


@pytest.fixture
def linked(run_suite: Callable[..., Results], tmp_path: Path) -> Callable[..., str]:
    """Runs the suite with another body of its first test, and returns the page of evidence afterwards."""

    def link(body: str, links: Links = Links("log.html", "report.html"), **options: Any) -> str:  # noqa: B008
        page = tmp_path / "evidence" / "a-1" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(PAGE, encoding="utf-8")
        suite = SUITE.replace("    [Metadata]    Requirements    R1\n", KEPT, 1).replace("Log    one", body)
        link_back(run_suite(suite, **options), tmp_path, links)
        return page.read_text(encoding="utf-8")

    return link


@pytest.mark.parametrize(
    ("body", "blame"),
    [
        ("Fail    still on blue", "<b>FAIL</b>: the product failed a test"),
        ("Fail    LAB ERROR: dead", "<b>LAB ERROR</b>: the lab is at fault; nothing is said of the product"),
        ("No Such Keyword", "<b>TEST ERROR</b>: the suite is wrong; nothing is said of the product"),
    ],
)
def test_evidence_says_whose_fault_it_is_and_leads_back(linked: Callable[..., str], body: str, blame: str) -> None:
    page = linked(body)
    assert page.startswith(f'<h1>It failed</h1><nav id="back">{blame} · ')
    assert 'test <a href="../../log.html#s1-s1-t1">First</a>' in page
    assert '<a href="../../signoff.html#R1">R1</a>' in page
    assert '<a href="../../signoff.html#nad-01">nad-01 in the sign-off</a>' in page
    assert '<a href="../../report.html">report</a></nav><p>more</p>' in page


def test_nothing_leads_to_a_page_that_is_not_there(linked: Callable[..., str]) -> None:
    page = linked("Fail    no", Links())
    assert "log.html" not in page and "report.html" not in page


def test_a_second_look_changes_nothing(linked: Callable[..., str], run_suite: Callable[..., Results]) -> None:
    assert linked("Fail    no") == linked("Fail    no")


def test_evidence_that_is_not_there_or_elsewhere_is_left_alone(
    run_suite: Callable[..., Results], tmp_path: Path
) -> None:
    outside = tmp_path / "outside.html"
    outside.write_text(PAGE, encoding="utf-8")
    results = tmp_path / "results"
    results.mkdir()
    suite = SUITE.replace("    [Metadata]    Requirements    R1\n", KEPT.replace("evidence/a-1/index", "../outside"), 1)
    assert link_back(run_suite(suite.replace("Log    one", "Fail    no")), results, Links("log.html")) == []
    assert outside.read_text(encoding="utf-8") == PAGE
