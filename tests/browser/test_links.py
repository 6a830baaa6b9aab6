# SPDX-License-Identifier: Apache-2.0
"""No page of a run leads to one that is not there, whichever files the run was told to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.run_suites import main
from tests.browser.looking import broken_links
from tests.browser.webdriver import Browser

SUITE = """\
*** Test Cases ***
Green
    [Tags]    nad-01    p0
    No Operation

Red
    [Tags]    nad-01    p0
    Fail    status.conditions[Ready] is False
"""


@pytest.mark.parametrize(
    "options",
    ["--log NONE", "--timestampoutputs", "--output my-output.xml --log my.html --report its-report.html"],
)
def test_each_link_leads_somewhere(
    window: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    suite = tmp_path / "suite.robot"
    suite.write_text(SUITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    assert main(["--state", str(tmp_path), "--", *options.split(), "--outputdir", str(results), str(suite)])
    pages = sorted(results.rglob("*.html"))
    assert len(pages) >= 3
    for page in pages:
        window.open(page, "#totals?all" if "report" in page.name else "")
        assert broken_links(window) == [], page.name


def test_a_dry_run_leaves_nothing(tmp_path: Path) -> None:
    suite = tmp_path / "suite.robot"
    suite.write_text(SUITE, encoding="utf-8")
    assert main(["--state", str(tmp_path), "--", "--dryrun", str(suite)]) == 0
    assert list(tmp_path.iterdir()) == [suite]


def test_pages_of_a_dry_run_lead_nowhere_else(window: Browser, tmp_path: Path) -> None:
    """Those that the user asked for."""
    suite = tmp_path / "suite.robot"
    suite.write_text(SUITE, encoding="utf-8")
    main(["--state", str(tmp_path), "--", "--dryrun", "--outputdir", str(tmp_path), str(suite)])
    for name in ("log.html", "report.html"):
        window.open(tmp_path / name, "#totals?all" if name == "report.html" else "")
        assert broken_links(window) == []
    assert not (tmp_path / "signoff.html").exists()
