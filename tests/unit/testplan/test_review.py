# SPDX-License-Identifier: Apache-2.0
"""The test plan as a document: it is up to date, and each mistake that reviewers look for is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from testplan import review
from testplan.__main__ import main
from testplan.chapters import CHAPTERS, Chapters, load_chapters, open_points
from testplan.document import DOCUMENT, Document
from testplan.plan import PlanError, load_plan
from testplan.suites import read_forms, read_tests

Spoil = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def document() -> Document:
    """The real one."""
    return Document(load_plan(), load_chapters(), read_tests(), read_forms())


@pytest.fixture
def no_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the processes of codespell and PyMarkdown."""
    monkeypatch.setattr(review, "prose_problems", lambda _: ())


def spoiled(document: Document, spoil: Spoil) -> list[str]:
    """The problems that a change of the chapters brings, but that the page is out of date."""
    data = copy.deepcopy(document.chapters.data)
    spoil(data)
    found = review.review_problems(replace(document, chapters=Chapters(data)))
    return [problem for problem in found if "out of date" not in problem]


def test_the_plan_and_its_page_are_what_reviewers_ask_for(capsys: pytest.CaptureFixture[str], no_prose: None) -> None:
    """Their prose is checked by the stage of ./test.sh that does this, too."""
    assert main(["check", "--open"]) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    assert "problems: 0" in printed
    assert f"open: {printed.count('[ ] open: ')};" in printed


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda data: data["goals"][0].update(scenarios=[]), "goal G1 has no scenario"),
        (lambda data: data["goals"][1]["scenarios"].remove("nad-14"), "scenario nad-14 serves no goal"),
        (lambda data: data["goals"][1]["scenarios"].append("nad-99"), "goal G2 names scenario nad-99, which"),
        (lambda data: data["goals"][0].update(priority="P2"), "scenario nad-01 is P0, its goal G1 only P2"),
        (lambda data: data["goals"].pop(2), "G3 is missing from the numbers"),
        (lambda data: data["number_gaps"].pop("R25"), "R25 is missing from the numbers; add it, or say why"),
        (lambda data: data["number_gaps"].update(R1="Dropped."), "R1 is there, and number_gaps says that it is not"),
        (lambda data: data.update(overview="See R77."), "a chapter names R77, which the plan does not have"),
        (lambda data: data["strategy"].pop(3), "the strategy does not say whether Performance applies"),
        (lambda data: data["strategy"][0].update(kind="Luck"), "the strategy has Luck, which no reviewer looks for"),
        (lambda data: data["signoff"].pop(), "the sign-off has no Product manager"),
    ],
)
def test_a_mistake_in_the_chapters_is_found(document: Document, no_prose: None, spoil: Spoil, problem: str) -> None:
    assert any(problem in found for found in spoiled(document, spoil))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda data: data["environment"]["versions"][1].pop("until"), "'until' is a required property"),
        (lambda data: data["limitations"][0].pop("signed"), "'signed' is a required property"),
        (lambda data: data["risks"][0].pop("mitigation"), "'mitigation' is a required property"),
        (lambda data: data["signoff"][0].update(date="soon"), "'soon' does not match"),
        (lambda data: data["strategy"][0].update(reference="hearsay"), "references has no entry hearsay"),
    ],
)
def test_chapters_that_lack_what_a_plan_needs_are_refused(tmp_path: Path, spoil: Spoil, problem: str) -> None:
    data = yaml.safe_load(CHAPTERS.read_text(encoding="utf-8"))
    spoil(data)
    path = tmp_path / "chapters.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(PlanError, match=problem):
        load_chapters(path)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[x] Functional", "[X] Functional", r'box "[X]"; expected [x] or [ ]'),
        ("[ ] Performance", "[] Performance", r'box "[]"; expected [x] or [ ]'),
        ("browse/CNV-72329)", "browse/CNV72329)", "link https://redhat.atlassian.net/browse/CNV72329 leads nowhere"),
        ("(#nad-01-", "(#nad-1-", "leads nowhere, or has no known form"),
        ("(../suites/p0/", "(../suites/p7/", "leads nowhere, or has no known form"),
        ("| 4.22 onward |\n| Versions", "| 4.22 |\n| Versions", 'are "4.22"; expected a range, such as "4.22 onward"'),
        ("|   |   |   | [nad-08]", "| R2 |   |   | [nad-08]", "traceability: R2 stands in a second row"),
    ],
)
def test_a_mistake_in_the_page_is_found(no_prose: None, old: str, new: str, problem: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert old in text
    assert list(review.page_problems(text, DOCUMENT.parent)) == []
    assert any(problem in found for found in review.page_problems(text.replace(old, new, 1), DOCUMENT.parent))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        # Put together: codespell reads this file as well.
        ("until it is", "{}l it is".format("until"), "l ==> until"),
        ("## Risks\n\n", "## Risks\n", "MD022: Headings should be surrounded by blank lines"),
    ],
)
def test_a_misspelt_word_and_untidy_markdown_are_found(old: str, new: str, problem: str) -> None:
    text = "# Plan\n\nIt waits until it is asked.\n\n## Risks\n\nNone.\n"
    assert list(review.page_problems(text, DOCUMENT.parent)) == []
    assert any(problem in found for found in review.page_problems(text.replace(old, new), DOCUMENT.parent))


def test_a_page_that_was_edited_is_out_of_date(document: Document, no_prose: None, tmp_path: Path) -> None:
    assert main(["document", "--page", str(tmp_path / "page.md")]) == 0
    page = tmp_path / "page.md"
    page.write_text(page.read_text(encoding="utf-8").replace("sig-network", "sig-storage"), encoding="utf-8")
    assert any(
        "page.md is out of date: run python -m testplan document" in p for p in review.review_problems(document, page)
    )


def test_a_url_of_another_id_is_found(document: Document, no_prose: None) -> None:
    first, *others = document.plan.external
    plan = replace(
        document.plan, external=(replace(first, url="https://github.com/kubevirt/enhancements/issues/141"), *others)
    )
    assert any("the URL of VEP-140 is" in problem for problem in review.review_problems(replace(document, plan=plan)))


def test_a_suite_that_does_not_say_its_topology_is_found(document: Document, no_prose: None) -> None:
    first, *others = document.forms
    points = {name: text for name, text in first.points.items() if name != "Topology"}
    changed = replace(document, forms=(replace(first, points=points), *others))
    assert any("does not say *Topology*" in problem for problem in review.review_problems(changed))


def test_what_is_open_is_counted(document: Document) -> None:
    before = open_points(document.plan, document.chapters)
    data = copy.deepcopy(document.chapters.data)
    data["signoff"][0].update(name="Ann Example", date="2026-12-01")
    assert len(open_points(document.plan, Chapters(data))) == len(before) - 2
    assert "waiver of R33" in before
