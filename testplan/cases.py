# SPDX-License-Identifier: Apache-2.0
"""Test cases of other systems: what a run says of each, where several tests of ours prove one together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testplan.plan import External, Plan
from testplan.results import BAD, Outcome, Results, Verdict
from testplan.suites import PlannedTest

_WORST_FIRST = (*BAD, Verdict.NOT_RUN, Verdict.SKIP, Verdict.PASS)


@dataclass(frozen=True)
class Case:
    """One test case with those of its tests that this run holds, and the names of those that it does not hold."""

    external: External
    outcomes: tuple[Outcome, ...]
    missing: tuple[str, ...]

    @property
    def worst(self) -> Outcome:
        return min(self.outcomes, key=lambda outcome: _WORST_FIRST.index(outcome.verdict))

    @property
    def verdict(self) -> Verdict:
        """The worst of its tests; without all of them it is not proven, and so did not run."""
        return Verdict.NOT_RUN if self.worst.verdict is Verdict.PASS and self.missing else self.worst.verdict

    @property
    def reason(self) -> str:
        """Why it did not pass, in one line; "" when it did."""
        if self.worst.verdict is not Verdict.PASS:
            return f"{self.worst.name}: {self.worst.first_line}"
        return f"not in this run: {', '.join(self.missing)}" if self.missing else ""

    @property
    def seconds(self) -> float:
        return sum(outcome.seconds for outcome in self.outcomes)


def cases(plan: Plan, results: Results, tests: Iterable[PlannedTest]) -> list[Case]:
    """Those that the run holds a test of, in the order of the plan. ``tests`` are all that the suites hold."""
    every = list(tests)
    found = []
    for external in plan.external:
        own = tuple(outcome for outcome in results.outcomes if external.tag in outcome.tags)
        if external.of_one_scenario and own:
            found.append(Case(external, own, _missing(external, own, every)))
    return found


def _missing(external: External, own: Sequence[Outcome], tests: Sequence[PlannedTest]) -> tuple[str, ...]:
    names = {outcome.name for outcome in own}
    return tuple(test.name for test in tests if external.tag in test.tags and test.name not in names)
