# SPDX-License-Identifier: Apache-2.0
"""The test plan as a document, ``docs/test-plan.md``: made of plan, chapters and the suites' documentation.

The order of its chapters is the one that reviewers of OpenShift Virtualization's test plans know.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testplan.chapters import OPEN, Chapters, approval
from testplan.plan import Plan, Scenario
from testplan.suites import PlannedTest, SuiteForm

DOCUMENT = Path(__file__).parent.parent / "docs" / "test-plan.md"
PRIORITIES = ("P0", "P1", "P2")
OPEN_BOX = "[ ] open"


@dataclass(frozen=True)
class Document:
    """What the document is made of."""

    plan: Plan
    chapters: Chapters
    tests: Sequence[PlannedTest]
    forms: Sequence[SuiteForm]

    def text(self) -> str:
        """The whole page, in Markdown."""
        parts = (
            f"# Test plan: {self.plan.feature}",
            "Made by `python -m testplan document`; do not edit. `[ ] open` marks what no source gives.",
            *self._tracking(),
            "## Feature overview",
            self.chapters["overview"],
            *self._review(),
            *self._scope(),
            *self._strategy(),
            *self._environment(),
            *self._risks(),
            *self._scenarios(),
            *self._traceability(),
            *self._signoff(),
        )
        return "\n\n".join(part.rstrip() for part in parts) + "\n"

    def _tracking(self) -> Iterable[str]:
        tracking = self.chapters["tracking"]
        by_kind = {kind: [row for row in self.plan.external if row.kind == kind] for kind in ("feature", "epic")}
        enhancements = [row for row in self.plan.external if row.kind == "enhancement"]
        links = {
            "Enhancement": ", ".join([_link(row.id, row.url) for row in enhancements] + [self._source("vep")]),
            "Feature": ", ".join(_link(row.id, row.url) for row in by_kind["feature"]),
            "Epic": ", ".join(_link(row.id, row.url) for row in by_kind["epic"]),
            "Implementation": self._source("implementation"),
            "Backported": tracking["backported"],
            "QE owners": _known(tracking["owners"]),
            "Owning SIG": _known(tracking["owning_sig"]),
            "Participating SIGs": _known(tracking["participating_sigs"]),
            "Earlier plans": f"{self._source('merged-plan')}; {self._source('draft-plan')}",
        }
        yield "## Metadata and tracking"
        yield _table(("Field", "Details"), links.items())
        yield "Maturity:"
        yield _table(
            ("Product", "Versions", "Maturity"),
            ((row["product"], _versions(row), row["stage"]) for row in tracking["maturity"]),
        )
        yield "Terms:"
        yield _bullets(f"*{row['term']}*: {row['meaning']}" for row in self.chapters["conventions"])

    def _review(self) -> Iterable[str]:
        yield "## Requirements review"
        yield self._checks("review")
        yield "### Known limitations"
        yield self._limitations("limitations", f"Signed in the {self._source('merged-plan')}, unless open.")
        yield "### Technology and topology"
        yield self._checks("technology")
        yield "### Answers to the review of the draft"
        yield _table(
            ("Comment", "Answered by"), ((row["comment"], row["answer"]) for row in self.chapters["review_answers"])
        )

    def _scope(self) -> Iterable[str]:
        goals = sorted(self.chapters["goals"], key=lambda row: PRIORITIES.index(row["priority"]))
        yield "## Scope"
        yield "### Goals"
        yield _table(
            ("Goal", "Priority", "What is verified", "Scenarios"),
            (
                (row["id"], row["priority"], row["text"], ", ".join(map(self._to_scenario, row["scenarios"])))
                for row in goals
            ),
        )
        yield "### Out of scope"
        waived = [row for row in self.plan.requirements if row.status == "waived"]
        yield _table(
            ("What", "Rationale", "Agreement"),
            [
                *((row.what, row.reason, _known(row.agreement)) for row in self.plan.exclusions),
                *((f"{row.id}: {row.text}", row.note, _agreed(*approval(row))) for row in waived),
            ],
        )
        yield "### Test limitations"
        yield self._limitations("test_limitations", "What keeps this plan's tests from judging.")

    def _strategy(self) -> Iterable[str]:
        yield "## Test strategy"
        yield _bullets(
            f"{_box(row['applies'])} {row['kind']}: {_sentence(row['why'])}{self._cited(row)}"
            for row in self.chapters["strategy"]
        )

    def _environment(self) -> Iterable[str]:
        environment = self.chapters["environment"]
        yield "## Test environment"
        yield _table(
            ("What", "Configuration"),
            [
                *((f"Versions of {row['product']}", _versions(row)) for row in environment["versions"]),
                *((row["what"], row["need"]) for row in environment["rows"]),
            ],
        )
        yield "A scenario that needs one of these capabilities is skipped where a cluster lacks it:"
        yield _table(
            ("Capability", "What it is", "Scenarios"),
            (
                (
                    row.name,
                    row.text,
                    ", ".join(self._to_scenario(one.id) for one in self.plan.scenarios if row.name in one.needs),
                )
                for row in self.plan.capabilities
            ),
        )
        yield "## Tools"
        yield _table(("What", "Which"), ((row["what"], row["need"]) for row in self.chapters["tools"]))
        for title, name in (("Entry criteria", "entry"), ("Exit criteria", "exit")):
            yield f"## {title}"
            yield _bullets(f"{_box(row['done'])} {row['what']}{self._cited(row)}" for row in self.chapters[name])

    def _risks(self) -> Iterable[str]:
        yield "## Risks"
        yield _table(
            ("Category", "Risk", "Mitigation", "Agreed"),
            (
                (row["category"], row["risk"], row["mitigation"], _known(row["agreed"]))
                for row in self.chapters["risks"]
            ),
        )

    def _scenarios(self) -> Iterable[str]:
        yield "## Scenarios"
        for scenario in self._in_order():
            yield f"### {scenario.id}: {scenario.title}"
            yield self._facts(scenario)
            for form in (form for form in self.forms if form.scenario == scenario.id):
                yield f"[{form.source.name}]({_relative(form.source)}): {_sentence(form.summary)}"
                yield "\n".join(f"{number}. *{title}:* {text}" for number, (title, text) in enumerate(_steps(form), 1))
                yield _table(
                    ("Test", "Requirements", "Expected"),
                    (
                        (test.name, ", ".join(test.requirements), test.documentation)
                        for test in self.tests
                        if test.source == form.source
                    ),
                )

    def _facts(self, scenario: Scenario) -> str:
        known = {row.id: row for row in self.plan.external}
        links = [_link(name, known[name].url) for name in scenario.external if name in known]
        if not any(known[name].of_one_scenario for name in scenario.external if name in known):
            links.append(f"test case in Polarion: {OPEN_BOX}")
        needs = f" Needs: {', '.join(scenario.needs)}." if scenario.needs else ""
        rows = ", ".join(scenario.requirements)
        return f"Priority {scenario.priority}, tier {scenario.tier}. Requirements: {rows}.{needs} {', '.join(links)}."

    def _traceability(self) -> Iterable[str]:
        yield "## Traceability"
        if gaps := self.chapters["number_gaps"]:
            yield _bullets(f"{name} is not used: {_sentence(text)}" for name, text in gaps.items())
        for priority in (*PRIORITIES, "env", "info", "none"):
            rows = [row for row in self.plan.requirements if row.priority == priority]
            if not rows:
                continue
            yield f"### Requirements of priority {priority}"
            lines: list[tuple[str, ...]] = []
            for row in sorted(rows, key=lambda row: (row.tier or 0, int(row.id[1:]))):
                first = (row.id, row.text, str(row.tier or "-"))
                for scenario, tests in self._carriers(row.id) or [(row.status or OPEN_BOX, row.note)]:
                    lines.append((*first, scenario, tests))
                    # The id stands in the first row of its group only.
                    first = ("", "", "")
            yield _table(("Requirement", "What is required", "Tier", "Scenario", "Tests"), lines)

    def _carriers(self, requirement: str) -> list[tuple[str, str]]:
        found = []
        for scenario in self._in_order():
            names = [
                test.name for test in self.tests if scenario.id in test.scenarios and requirement in test.requirements
            ]
            if names:
                found.append((self._to_scenario(scenario.id), "; ".join(names)))
        return found

    def _signoff(self) -> Iterable[str]:
        yield "## Sign-off"
        yield "The results of a run are in its `signoff.html`. This plan is approved by:"
        yield _table(
            ("Role", "Name", "Date"),
            ((row["role"], _known(row["name"]), _known(row["date"])) for row in self.chapters["signoff"]),
        )

    def _in_order(self) -> list[Scenario]:
        return sorted(self.plan.scenarios, key=lambda one: (PRIORITIES.index(one.priority), one.tier, one.id))

    def _checks(self, name: str) -> str:
        lines = []
        for row in self.chapters[name]:
            lines.append(f"- {_box(row['done'])} {row['check']}{self._cited(row)}")
            lines += [f"  - {note}" for note in row["notes"]]
        return "\n".join(lines)

    def _limitations(self, name: str, lead: str) -> str:
        rows = self.chapters[name]
        if not rows:
            return "None."
        table = _table(
            ("Limitation", "What it means", "Sign-off"),
            ((row["what"], row["detail"], _known(row["signed"])) for row in rows),
        )
        return f"{lead}\n\n{table}"

    def _source(self, name: str) -> str:
        row = self.chapters.reference(name)
        return _link(row["title"], row["url"]) if row else OPEN_BOX

    def _cited(self, row: dict[str, Any]) -> str:
        return f" ({self._source(row['reference'])})" if "reference" in row else ""

    def _to_scenario(self, name: str) -> str:
        scenario = self.plan.scenario(name)
        return _link(name, f"#{anchor(f'{name}: {scenario.title}')}") if scenario else name


def _steps(form: SuiteForm) -> Iterable[tuple[str, str]]:
    """Preconditions, steps and expected results, as a suite's documentation has them."""
    yield "Preconditions", _sentence(form.points.get("Topology", OPEN_BOX))
    yield "Steps", f"{_sentence(form.points.get('Moves', OPEN_BOX))} Keyword: `{form.setup}`."
    yield "Expected", _sentence(form.points.get("Verified", OPEN_BOX))
    if left_out := form.points.get("Out of scope"):
        yield "Out of scope", _sentence(left_out)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or " "


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _box(done: bool | str) -> str:
    return OPEN_BOX + ":" if done == OPEN else "[x]" if done else "[ ]"


def _known(text: str) -> str:
    return OPEN_BOX if text == OPEN else text


def _agreed(approver: str, date: str) -> str:
    return OPEN_BOX if OPEN in (approver, date) else f"{approver}, {date}"


def _versions(row: dict[str, str]) -> str:
    return f"{row['from']} {'onward' if row['until'] == 'onward' else 'to ' + row['until']}"


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "]")) else f"{text}."


def _link(text: str, url: str) -> str:
    return f"[{text}]({url})"


def _relative(path: Path) -> str:
    return os.path.relpath(path, DOCUMENT.parent)


def anchor(heading: str) -> str:
    """The anchor that forges make of a heading."""
    kept = "".join(character for character in heading.lower() if character.isalnum() or character in " -_")
    return kept.replace(" ", "-")
