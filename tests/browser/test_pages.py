"""The files of a run as a browser shows them, from the disk: what they have to show is there, and nothing complains."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from robot.rebot import rebot

from tests.browser.conftest import SeenRun
from tests.browser.webdriver import Browser

PAGES = ("log.html", "report.html", "signoff.html", "matrix.html")
LINKS = "return [...document.querySelectorAll('a[href]')].map(a => a.href)"
EXPAND = "expandAll('s1')"
"""Robot builds what is folded only when it is unfolded."""


def evidence(run: SeenRun) -> Path:
    (page,) = run.folder.glob("evidence/*/index.html")
    return page


def broken_links(window: Browser) -> list[str]:
    """Links of the open page that lead to nothing."""
    files = {urlsplit(link).path for link in window.run(LINKS) if link.startswith("file:")}
    return sorted(path for path in map(unquote, files) if not Path(path).exists())


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_without_a_complaint_and_its_links_lead_somewhere(run: SeenRun, window: Browser, name: str) -> None:
    window.open(run.folder / name)
    assert window.run("return document.title")
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


def test_report_leads_to_the_evidence(run: SeenRun, window: Browser) -> None:
    window.open(run.folder / "report.html", "#totals?all")
    window.wait_for("document.querySelector('a[href*=\"evidence/\"]')")
    for word in ("Verdict:", "Durations:", "Profile:", "KubeVirt:"):
        assert word in window.run("return document.body.textContent"), word
    assert broken_links(window) == []


def test_sign_off_prints_on_two_pages(run: SeenRun, window: Browser) -> None:
    window.open(run.folder / "signoff.html")
    assert window.run("return document.querySelectorAll('tbody tr').length") >= 8
    assert window.run("return document.querySelectorAll('a[href*=\"evidence/\"]').length") == 1
    assert 1 <= window.pages() <= 2


def test_merged_results_lead_to_the_evidence_as_well(run: SeenRun, window: Browser) -> None:
    output = str(run.folder / "output.xml")
    merged = {"outputdir": str(run.folder), "log": "merged-log.html", "report": "merged-report.html"}
    rebot(output, output, merge=True, stdout=None, **merged)
    window.open(run.folder / "merged-report.html", "#totals?all")
    window.wait_for("document.querySelector('a[href*=\"evidence/\"]')")
    assert broken_links(window) == []
