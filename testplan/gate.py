# SPDX-License-Identifier: Apache-2.0
"""The verdict on a run: what the colour of a report cannot say.

A run in which everything was skipped is green for Robot, and so is one that never selected what it was asked for.
A skip is in order only where the plan says so: its scenario needs what the cluster lacks, and is not a P0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import partial

from testplan.plan import Plan
from testplan.results import Outcome, Results, Verdict, by_message
from testplan.suites import PlannedTest, in_ranges


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
    PARTIAL = "PARTIAL"
    FAIL = "FAIL"
    TEST_ERROR = "TEST ERROR"
    LAB_ERROR = "LAB ERROR"
    NOT_PROVEN = "NOT PROVEN"
    INTERRUPTED = "INTERRUPTED"


_EXITS = {
    Word.PASS: Exit.PROVEN,
    Word.PARTIAL: Exit.PROVEN,
    Word.FAIL: Exit.PRODUCT_FAILED,
    Word.TEST_ERROR: Exit.TEST_ERROR,
    Word.LAB_ERROR: Exit.LAB_ERROR,
    Word.NOT_PROVEN: Exit.NOT_PROVEN,
    Word.INTERRUPTED: Exit.INTERRUPTED,
}


@dataclass(frozen=True)
class Judgement:
    """The verdict: a word, one line, and one line for each test or gap that decided it.

    ``where`` says that no real cluster was tested; the pages say it at their top.
    """

    word: Word
    headline: str
    details: tuple[str, ...] = ()
    where: str = ""

    @property
    def exit(self) -> Exit:
        return _EXITS[self.word]

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return "\n".join([f"Verdict: {self.word}: {self.headline}{where}", *(f"  {one}" for one in self.details)])


def judge(
    results: Results, plan: Plan, tests: Sequence[PlannedTest], selected: Collection[str] | None = None
) -> Judgement:
    """Judges a run. ``tests`` are those that the suites hold; ``selected`` the names that the run had to hold.

    The product's failures weigh most, then the suites' own, then the lab's, then what was not proven. P0 was asked for
    when all its tests were selected, by whatever options. A run with less than that is PARTIAL at best.
    """
    outcomes = results.outcomes
    failed = [outcome for outcome in outcomes if outcome.verdict is Verdict.FAIL]
    misused = [outcome for outcome in outcomes if outcome.verdict is Verdict.TEST_ERROR]
    hindered = [outcome for outcome in outcomes if outcome.verdict is Verdict.LAB_ERROR]
    passed = [outcome for outcome in outcomes if outcome.verdict is Verdict.PASS]
    in_order = [outcome for outcome in outcomes if skipped_in_order(outcome, plan)]
    idle = [outcome for outcome in outcomes if outcome.verdict in {Verdict.SKIP, Verdict.NOT_RUN}]
    unproven = [outcome for outcome in idle if outcome not in in_order]
    names = {outcome.name for outcome in outcomes}
    missing = [f"MISSING   {name}: selected, and not in the results" for name in sorted(set(selected or ()) - names)]
    details = (*_lines([*failed, *misused, *hindered, *unproven]), *missing, *_lines(in_order))
    judgement = partial(Judgement, details=details, where=results.where)
    if failed:
        return judgement(Word.FAIL, f"the product failed {_count(failed, outcomes)}")
    if misused:
        return judgement(Word.TEST_ERROR, f"a suite misused a keyword in {_count(misused, outcomes)}")
    if hindered:
        return judgement(Word.LAB_ERROR, f"the lab kept {_count(hindered, outcomes)} from judging the product")
    if missing or unproven or not passed:
        said = f"{len(unproven) + len(missing)} of what was asked for has no verdict"
        nothing = f"no test passed; {_count(idle, outcomes)} did not run to a verdict"
        return judgement(Word.NOT_PROVEN, said if passed else nothing)
    scenarios = in_ranges({outcome.scenario for outcome in outcomes if outcome.scenario}) or "no scenario"
    skipped = f", {len(in_order)} skipped for what the cluster lacks" if in_order else ""
    said = f"{_count(passed, outcomes)} passed{skipped} ({scenarios})"
    if gap := _p0_gap(outcomes, plan, tests):
        return judgement(Word.PARTIAL, f"{said}; not a sign-off: {gap}")
    return judgement(Word.PASS, f"{said}; every P0 scenario is proven")


def skipped_in_order(outcome: Outcome, plan: Plan) -> bool:
    """Whether the plan allows this skip: its scenario needs the capability that the cluster was found to lack."""
    scenario = plan.scenario(outcome.scenario)
    return bool(scenario and not outcome.is_p0 and scenario.may_skip_without(outcome.missing_capability))


def nothing_to_judge(why: str) -> Judgement:
    """For a run that left no result file."""
    return Judgement(Word.NOT_PROVEN, why)


def _p0_gap(outcomes: Sequence[Outcome], plan: Plan, tests: Iterable[PlannedTest]) -> str:
    """What of P0 the run did not hold, in words; "" when it held every test of every P0 scenario."""
    by_scenario = {
        scenario.id: [test.name for test in tests if scenario.id in test.scenarios] for scenario in plan.automated_p0()
    }
    for scenario, own in by_scenario.items():
        if not own:
            return f"P0 scenario {scenario} has no test in the suites"
    every = {(scenario, name) for scenario, own in by_scenario.items() for name in own}
    held = len(every.intersection((outcome.scenario, outcome.name) for outcome in outcomes))
    if held == len(every):
        lacking = [outcome for outcome in outcomes if outcome.is_p0 and outcome.unobserved]
        if lacking:
            return f"{_count(lacking, outcomes)} could not observe all, such as {lacking[0].unobserved}"
        return "" if every else "the plan has no P0 scenario"
    return f"{held} of {len(every)} P0 tests were selected" if held else "no P0 test was selected"


def _lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One line a message, worst first, with all that it lists."""
    for told in by_message(outcomes):
        who = told.first.name if len(told.outcomes) == 1 else f"{len(told.outcomes)} tests"
        yield f"{told.verdict:<9} {who}" + (f": {told.message}" if told.message else "")
        yield from (f"          - {item}" for item in told.items)


def _count(some: Sequence[Outcome], of: Sequence[Outcome]) -> str:
    return f"{len(some)} of {len(of)} test{'' if len(of) == 1 else 's'}"
