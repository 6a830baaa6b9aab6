# SPDX-License-Identifier: Apache-2.0
"""What reviewers of such plans ask for, as checks of the plan's data and of the document made of it; offline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from testplan.document import DOCUMENT, PRIORITIES, Document, anchor
from testplan.prose import prose_problems

STRATEGY = {
    *("Functional", "Automation", "Regression", "Performance", "Scale", "Security", "Usability", "Monitoring"),
    *("Compatibility", "Upgrade", "Dependencies", "Cross integrations", "Cloud"),
}
ROLES = {"QE owner", "QE lead", "Development lead", "Product manager"}
URL_OF_TRACKER = {
    "github": "https://github.com/kubevirt/enhancements/issues/{number}",
    "jira": "https://redhat.atlassian.net/browse/{id}",
    "polarion": "https://polarion.engineering.redhat.com/polarion/#/project/CNV/workitem?id={id}",
}
KNOWN_LINKS = (
    r"https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/[1-9][0-9]*",
    r"https://github\.com/kubevirt/enhancements/blob/main/veps/[\w./-]+\.md",
    r"https://redhat\.atlassian\.net/browse/(?:CNV|VIRTSTRAT)-[1-9][0-9]*",
    r"https://polarion\.engineering\.redhat\.com/polarion/#/project/CNV/workitem\?id=CNV-[1-9][0-9]*",
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BOX = re.compile(r"\[([xX\s]*)\](?!\()")
_RANGE = re.compile(r"[0-9]+\.[0-9]+ (?:onward|to (?:main|[0-9]+\.[0-9]+))")
_NAMED = re.compile(r"\b(?:R[1-9][0-9]*|nad-[0-9]{2})\b")


def review_problems(document: Document, page: Path = DOCUMENT) -> list[str]:
    """One line a problem, each naming its culprit; ``page`` is the document as it lies there."""
    found = [*_goals(document), *_numbers(document), *_named(document), *_chapters(document), *_urls(document)]
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    if text != document.text():
        found.append(f"{page.name} is out of date: run python -m testplan document")
    return [*found, *(f"{page.name}: {problem}" for problem in page_problems(text, page.parent))]


def page_problems(text: str, folder: Path) -> list[str]:
    """What is wrong with the page itself: boxes, links, ids, versions, spelling and Markdown."""
    return [*_boxes(text), *_links(text, folder), *_repeated_ids(text), *_versions(text), *prose_problems(text)]


def _goals(document: Document) -> Iterator[str]:
    plan = document.plan
    goals = document.chapters["goals"]
    in_goals = {name for goal in goals for name in goal["scenarios"]}
    for goal in goals:
        if not goal["scenarios"]:
            yield f"plan: goal {goal['id']} has no scenario"
        for name in goal["scenarios"]:
            scenario = plan.scenario(name)
            if scenario is None:
                yield f"plan: goal {goal['id']} names scenario {name}, which the plan does not have"
            elif PRIORITIES.index(scenario.priority) < PRIORITIES.index(goal["priority"]):
                yield f"plan: scenario {name} is {scenario.priority}, its goal {goal['id']} only {goal['priority']}"
    for scenario in plan.scenarios:
        if scenario.id not in in_goals:
            yield f"plan: scenario {scenario.id} serves no goal; add it to one in testplan/chapters.yaml"


def _numbers(document: Document) -> Iterator[str]:
    gaps = document.chapters["number_gaps"]
    for pattern, ids in (
        ("R{}", [row.id for row in document.plan.requirements]),
        ("nad-{:02}", [scenario.id for scenario in document.plan.scenarios]),
        ("G{}", [goal["id"] for goal in document.chapters["goals"]]),
    ):
        last = max(int(re.sub(r"\D", "", name)) for name in ids)
        for name in (pattern.format(number) for number in range(1, last + 1)):
            if name not in ids and name not in gaps:
                yield f"plan: {name} is missing from the numbers; add it, or say why under number_gaps"
            if name in ids and name in gaps:
                yield f"plan: {name} is there, and number_gaps says that it is not"


def _named(document: Document) -> Iterator[str]:
    """Rows and scenarios that a text names have to be there."""
    known = {row.id for row in document.plan.requirements} | {one.id for one in document.plan.scenarios}
    gaps = set(document.chapters["number_gaps"])
    for name in sorted(set(_NAMED.findall(str(document.chapters.data))) - known - gaps):
        yield f"plan: a chapter names {name}, which the plan does not have"


def _chapters(document: Document) -> Iterator[str]:
    kinds = [row["kind"] for row in document.chapters["strategy"]]
    for kind in sorted(STRATEGY.difference(kinds)):
        yield f"plan: the strategy does not say whether {kind} applies, and why"
    for kind in sorted(set(kinds) - STRATEGY):
        yield f"plan: the strategy has {kind}, which no reviewer looks for; expected: {', '.join(sorted(STRATEGY))}"
    for role in sorted(ROLES.difference(row["role"] for row in document.chapters["signoff"])):
        yield f"plan: the sign-off has no {role}"
    for form in document.forms:
        for point in ("Topology", "Moves", "Verified"):
            if point not in form.points:
                yield f"{form.source.name}: the documentation does not say *{point}*, which the test plan prints"


def _urls(document: Document) -> Iterator[str]:
    for external in document.plan.external:
        expected = URL_OF_TRACKER[external.tracker].format(id=external.id, number=external.id.rpartition("-")[2])
        if external.url != expected:
            yield f"plan: the URL of {external.id} is {external.url}; expected {expected}"


def _boxes(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        for box in _BOX.finditer(re.sub(r"`[^`]*`", "", line)):
            if box[1] not in {"x", " "}:
                yield f'line {number}: box "{box[0]}"; expected [x] or [ ]'


def _links(text: str, folder: Path) -> Iterator[str]:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for number, line in enumerate(text.splitlines(), 1):
        for target in _LINK.findall(line):
            if target.startswith("#"):
                good = target[1:] in anchors
            elif "://" in target:
                good = any(re.fullmatch(form, target) for form in KNOWN_LINKS)
            else:
                good = (folder / target).exists()
            if not good:
                yield f"line {number}: link {target} leads nowhere, or has no known form"


def _repeated_ids(text: str) -> Iterator[str]:
    seen: set[str] = set()
    rows = re.findall(r"^\| (R[1-9][0-9]*) \|", text.partition("\n## Traceability\n")[2], re.MULTILINE)
    for name in rows:
        if name in seen:
            yield f"traceability: {name} stands in a second row; the id belongs into the first row of its group only"
        seen.add(name)


def _versions(text: str) -> Iterator[str]:
    for product, versions in re.findall(r"^\| Versions of ([^|]+) \| ([^|]*) \|$", text, re.MULTILINE):
        if not _RANGE.fullmatch(versions):
            yield f'versions of {product} are "{versions}"; expected a range, such as "4.22 onward" or "1.7 to main"'
