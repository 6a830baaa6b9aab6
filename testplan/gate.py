"""The verdict on a run: what the colour of a report cannot say.

A run in which everything was skipped is green for Robot, and so is one that never selected what it was asked for.
A skip is in order only where the plan says so: its scenario needs what the cluster lacks, and is not a P0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from testplan.plan import Plan
from testplan.results import BAD, Outcome, Results, Verdict, bare
from testplan.suites import PlannedTest


class Exit(IntEnum):
    """Exit codes of ``python -m testplan gate`` and of ``run.sh``. 2: nothing is said of the product."""

    PROVEN = 0
    PRODUCT_FAILED = 1
    LAB_ERROR = 2
    TEST_ERROR = LAB_ERROR
    NOT_PROVEN = 3
    INTERRUPTED = 130


class Word(StrEnum):
    """The verdict on a run, in one word. It tells apart what has one exit code."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    TEST_ERROR = "TEST ERROR"
    LAB_ERROR = "LAB ERROR"
    NOT_PROVEN = "NOT PROVEN"
    INTERRUPTED = "INTERRUPTED"


_EXITS = {
    Word.PASS: Exit.PROVEN,
    Word.FAIL: Exit.PRODUCT_FAILED,
    Word.TEST_ERROR: Exit.TEST_ERROR,
    Word.LAB_ERROR: Exit.LAB_ERROR,
    Word.NOT_PROVEN: Exit.NOT_PROVEN,
    Word.INTERRUPTED: Exit.INTERRUPTED,
}


@dataclass(frozen=True)
class Judgement:
    """The verdict: a word, one line, and one line for each test or gap that decided it."""

    word: Word
    headline: str
    details: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        return _EXITS[self.word]

    def __str__(self) -> str:
        return "\n".join([f"Verdict: {self.word}: {self.headline}", *(f"  {detail}" for detail in self.details)])


def judge(results: Results, plan: Plan, tests: Sequence[PlannedTest]) -> Judgement:
    """Judges a run. ``tests`` are those that the suites hold, so that a P0 test that was left out is noticed.

    The product's failures weigh most, then the suites' own, then the lab's, then what was not proven. A run that holds
    a P0 test has to hold every test of every P0 scenario; one without any is judged on what it selected.
    """
    outcomes = results.outcomes
    failed = [outcome for outcome in outcomes if outcome.verdict is Verdict.FAIL]
    misused = [outcome for outcome in outcomes if outcome.verdict is Verdict.TEST_ERROR]
    hindered = [outcome for outcome in outcomes if outcome.verdict is Verdict.LAB_ERROR]
    passed = [outcome for outcome in outcomes if outcome.verdict is Verdict.PASS]
    in_order = [outcome for outcome in outcomes if skipped_in_order(outcome, plan)]
    idle = [outcome for outcome in outcomes if outcome.verdict in {Verdict.SKIP, Verdict.NOT_RUN}]
    unproven = [outcome for outcome in idle if outcome not in in_order]
    missing = list(_missing(outcomes, plan, tests))
    details = (*_lines([*failed, *misused, *hindered, *unproven]), *missing, *_lines(in_order))
    if failed:
        return Judgement(Word.FAIL, f"the product failed {_count(failed, outcomes)}", details)
    if misused:
        return Judgement(Word.TEST_ERROR, f"a suite misused a keyword in {_count(misused, outcomes)}", details)
    if hindered:
        return Judgement(Word.LAB_ERROR, f"the lab kept {_count(hindered, outcomes)} from judging the product", details)
    if not passed:
        return Judgement(Word.NOT_PROVEN, f"no test passed; {_count(idle, outcomes)} did not run to a verdict", details)
    if missing or unproven:
        return Judgement(
            Word.NOT_PROVEN, f"{len(unproven) + len(missing)} of what was asked for has no verdict", details
        )
    scenarios = in_ranges({outcome.scenario for outcome in outcomes if outcome.scenario}) or "no scenario"
    p0 = "every P0 scenario is proven" if any(outcome.is_p0 for outcome in outcomes) else "no P0 was selected"
    skipped = f", {len(in_order)} skipped for what the cluster lacks" if in_order else ""
    return Judgement(Word.PASS, f"{_count(passed, outcomes)} passed{skipped} ({scenarios}); {p0}", details)


def in_ranges(ids: Iterable[str]) -> str:
    """``nad-01, nad-03 to nad-25``: of three or more that follow each other only the first and the last are named."""
    groups: list[list[str]] = []
    for name in sorted(ids):
        if groups and _number(name) == _number(groups[-1][-1]) + 1:
            groups[-1].append(name)
        else:
            groups.append([name])
    return ", ".join(f"{group[0]} to {group[-1]}" if len(group) > 2 else ", ".join(group) for group in groups)


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def skipped_in_order(outcome: Outcome, plan: Plan) -> bool:
    """Whether the plan allows this skip: its scenario needs the capability that the cluster was found to lack."""
    scenario = plan.scenario(outcome.scenario)
    return bool(scenario and not outcome.is_p0 and scenario.may_skip_without(outcome.missing_capability))


def nothing_to_judge(why: str) -> Judgement:
    """For a run that left no result file."""
    return Judgement(Word.NOT_PROVEN, why)


def _missing(outcomes: Sequence[Outcome], plan: Plan, tests: Sequence[PlannedTest]) -> Iterator[str]:
    if not any(outcome.is_p0 for outcome in outcomes):
        return
    for scenario in plan.automated_p0():
        found = {outcome.name for outcome in outcomes if outcome.scenario == scenario.id}
        expected = [test.name for test in tests if scenario.id in test.scenarios]
        if not expected:
            yield f"MISSING   P0 scenario {scenario.id} has no test in the suites"
        for name in expected:
            if name not in found:
                yield f"MISSING   {name} (P0 scenario {scenario.id})"


def _lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One line a message, worst first: when a suite setup fails, all its tests have the same."""
    by_message: dict[tuple[Verdict, str], list[Outcome]] = {}
    for outcome in outcomes:
        for said in outcome.told.items():
            by_message.setdefault(said, []).append(outcome)
    for (verdict, message), same in sorted(by_message.items(), key=lambda item: _rank(item[0][0])):
        who = same[0].name if len(same) == 1 else f"{len(same)} tests"
        yield f"{verdict:<9} {who}" + (f": {bare(message)}" if message else "")


def _rank(verdict: Verdict) -> int:
    return BAD.index(verdict) if verdict in BAD else len(BAD)


def _count(some: Sequence[Outcome], of: Sequence[Outcome]) -> str:
    return f"{len(some)} of {len(of)} test{'' if len(of) == 1 else 's'}"
