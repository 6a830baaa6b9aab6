# SPDX-License-Identifier: Apache-2.0
"""What a run says of a requirement or a scenario: proven, partly proven, failed, not judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from testplan.plan import Plan, Requirement, Scenario
from testplan.results import Outcome, Results, Verdict
from testplan.suites import PlannedTest, in_ranges


class Status(StrEnum):
    """The word; those of the plan itself (waived, planned) are of rows that no test carries."""

    PROVEN = "proven"
    PARTLY = "partly proven"
    FAILED = "failed"
    NOT_JUDGED = "not judged"
    WAIVED = "waived"
    PLANNED = "planned"


MEANINGS = {
    Status.PROVEN: "every test that the plan has for it passed",
    Status.PARTLY: "some of its tests passed, and none failed; the others did not run to a verdict",
    Status.FAILED: "the product did not do what is required",
    Status.NOT_JUDGED: "none of its tests ran to a verdict, so nothing is said of the product",
    Status.WAIVED: "the plan proves it by no test, for the reason that it gives",
    Status.PLANNED: "no test proves it yet",
}
_WORDS = {Verdict.SKIP: "skipped", Verdict.NOT_RUN: "did not run"}
_NOT_SELECTED = "not selected"
_PARTLY_SELECTED = "selected in part"


@dataclass(frozen=True)
class Standing:
    """``why``: for what is neither proven nor failed alone, which scenarios have no verdict and for what reason."""

    status: Status
    why: str = ""

    def __str__(self) -> str:
        return f"{self.status}: {self.why}" if self.why else str(self.status)


NOT_SELECTED = Standing(Status.NOT_JUDGED, _NOT_SELECTED)


@dataclass(frozen=True)
class Row:
    """One requirement, the scenarios that cover it, and the tests of this run that judged it."""

    requirement: Requirement
    standing: Standing
    scenarios: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def status(self) -> Status:
        return self.standing.status


@dataclass(frozen=True)
class ScenarioRow:
    """One scenario and its tests of this run."""

    scenario: Scenario
    standing: Standing
    outcomes: tuple[Outcome, ...]


def rows(plan: Plan, results: Results, tests: Iterable[PlannedTest]) -> list[Row]:
    """One row a requirement, in the order of the plan. ``tests`` are all that the suites hold."""
    every, found = list(tests), []
    for requirement in plan.requirements:
        name = requirement.id
        outcomes = tuple(outcome for outcome in results.outcomes if name in outcome.requirements)
        expected = [test for test in every if name in test.requirements]
        standing = standing_of(outcomes, expected)
        if requirement.status and not outcomes:
            standing = Standing(Status(requirement.status))
        scenarios = tuple(scenario.id for scenario in plan.scenarios if name in scenario.requirements)
        found.append(Row(requirement, standing, scenarios, outcomes))
    return found


def scenario_rows(plan: Plan, results: Results, tests: Iterable[PlannedTest]) -> list[ScenarioRow]:
    """One row a scenario, in the order of the plan."""
    every, found = list(tests), []
    for scenario in plan.scenarios:
        outcomes = tuple(outcome for outcome in results.outcomes if outcome.scenario == scenario.id)
        expected = [test for test in every if scenario.id in test.scenarios]
        standing = standing_of(outcomes, expected)
        if not scenario.automated and not outcomes:
            standing = Standing(Status(scenario.status), scenario.note)
        found.append(ScenarioRow(scenario, standing, outcomes))
    return found


def standing_of(outcomes: Sequence[Outcome], expected: Sequence[PlannedTest]) -> Standing:
    """What these tests of a run say together of what ``expected`` are to prove."""
    verdicts = [outcome.verdict for outcome in outcomes if not outcome.unobserved]
    why = _gaps(outcomes, expected)
    if Verdict.FAIL in verdicts:
        return Standing(Status.FAILED)
    if Verdict.PASS not in verdicts:
        return Standing(Status.NOT_JUDGED, why or _NOT_SELECTED)
    return Standing(Status.PARTLY, why) if why else Standing(Status.PROVEN)


def _gaps(outcomes: Sequence[Outcome], expected: Sequence[PlannedTest]) -> str:
    """``nad-02 not selected, nad-04 to nad-06 skipped``; without names where all have the same reason."""
    names = {outcome.name for outcome in outcomes}
    begun = {outcome.scenario for outcome in outcomes}
    gaps: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.unobserved:
            gaps.setdefault(f"not observed: {outcome.unobserved}", {})[outcome.scenario or outcome.suite] = None
        if outcome.verdict not in {Verdict.PASS, Verdict.FAIL}:
            word = _WORDS.get(outcome.verdict, str(outcome.verdict))
            gaps.setdefault(word, {})[outcome.scenario or outcome.suite] = None
    for test in expected:
        if test.name not in names:
            scenario = test.scenarios[0] if test.scenarios else test.suite
            gaps.setdefault(_PARTLY_SELECTED if scenario in begun else _NOT_SELECTED, {})[scenario] = None
    alone = len(gaps) == 1 and not any(
        outcome.verdict is Verdict.PASS and not outcome.unobserved for outcome in outcomes
    )
    return ", ".join(word if alone else f"{in_ranges(who)} {word}" for word, who in gaps.items())


def legend(shown: Iterable[Status]) -> list[tuple[Status, str]]:
    """What those words mean that stand in a table."""
    there = set(shown)
    return [(status, meaning) for status, meaning in MEANINGS.items() if status in there]
