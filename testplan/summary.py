# SPDX-License-Identifier: Apache-2.0
"""What log and report say besides numbers: verdict, time of each phase, skips and why; and of each test its charts.

Given to Robot as ``--prerebotmodifier testplan.summary.Summary:log.html:signoff.html``, so that merged and parallel
runs have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from robot.api import ResultVisitor

from testplan.gate import Judgement, judge
from testplan.page import sentence
from testplan.plan import load_plan
from testplan.results import BAD, ENVIRONMENT, Outcome, Results, Verdict, by_message, results_of
from testplan.suites import read_tests

_MANY = 3
_WORST = 8
_NOTE = (
    "Most tests take no time: the act, such as the change of a network, is in the setup of their suite, and a test "
    "judges one claim about what was recorded of it."
)


class Summary(ResultVisitor):  # type: ignore[misc]
    """Writes into the result model that log and report are made from.

    ``log``, ``signoff``: the names of these pages where they will lie beside log and report; nothing leads to one that
    is "".
    """

    def __init__(self, log: str = "", signoff: str = "") -> None:
        self._log = log
        self._signoff = signoff
        self._outcomes: dict[str, Outcome] = {}

    def start_suite(self, suite: Any) -> None:
        phases = _phases(suite)
        if phases["setup"] or phases["teardown"]:
            suite.metadata["Durations"] = ", ".join(
                f"{name} {value.total_seconds():.1f} s" for name, value in phases.items()
            )
        if suite.parent is None:
            results = results_of(suite)
            self._outcomes = {outcome.id: outcome for outcome in results.outcomes}
            if results.where:
                suite.metadata[ENVIRONMENT] = results.where
            judgement = judge(results, load_plan(), read_tests())
            note = f"\n\n{_NOTE}" if phases["setup"] > phases["tests"] else ""
            suite.doc = f"{self._verdict(judgement, results)}{note}\n\n{suite.doc}"
            if skipped := skips(results.outcomes):
                suite.metadata["Skipped"] = skipped[0] if len(skipped) == 1 else _listed(skipped)

    def visit_test(self, test: Any) -> None:
        """Each test leads to its charts, which lie in the setup and the teardown of its suite."""
        outcome = self._outcomes[test.id]
        links = [self._link(place, kind) for kind, place in outcome.charts.items()] if self._log else []
        if outcome.scenario and self._signoff:
            links.append(f"[{self._signoff}#{outcome.scenario}|sign-off]")
        if links:
            test.metadata["See"] = ", ".join(links)

    def _verdict(self, judgement: Judgement, results: Results) -> str:
        """In Robot's own markup. It stands in the documentation, because Robot shows that first."""
        where = f"*{sentence(results.where)}* " if results.where else ""
        bad = list(self._bad(results.outcomes))
        lines = _listed([*bad[:_WORST], *([f"and {len(bad) - _WORST} more"] if len(bad) > _WORST else [])])
        signoff = f" [{self._signoff}|Sign-off]" if self._signoff else ""
        head = f"{where}*Verdict: {judgement.word}.* {sentence(judgement.headline)}{signoff}"
        return f"{head}\n\n{lines}" if lines else head

    def _bad(self, outcomes: Iterable[Outcome]) -> Iterable[str]:
        """A line for each message that keeps the run from a PASS, worst first, with links to its test and evidence."""
        for told in by_message(one for one in outcomes if one.verdict in BAD or self._is_gap(one)):
            name = self._link(told.first.id, told.first.name) if self._log else told.first.name
            # In front of the message, whose brackets would begin the link otherwise: Robot's markup has no escapes.
            evidence = f" ([{told.first.evidence}|evidence])" if told.first.evidence else ""
            said = "; ".join([told.message, *told.items]).replace("|", "¦")
            yield f"*{told.verdict}* {name}{told.more}{evidence}: {said}"

    @staticmethod
    def _is_gap(outcome: Outcome) -> bool:
        return outcome.is_p0 and outcome.verdict in {Verdict.SKIP, Verdict.NOT_RUN}

    def _link(self, place: str, words: str) -> str:
        return f"[{self._log}#{place}|{words}]"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def skips(outcomes: Sequence[Outcome]) -> list[str]:
    """Why tests were skipped, the most frequent reason first, with the scenarios that it kept out."""
    skipped = [outcome for outcome in outcomes if outcome.verdict is Verdict.SKIP]
    counts = Counter(outcome.first_line for outcome in skipped)
    return [
        f"{count} of {_scenarios(outcome for outcome in skipped if outcome.first_line == reason)}: {reason}"
        for reason, count in counts.most_common()
    ]


def _scenarios(outcomes: Iterable[Outcome]) -> str:
    names = list(dict.fromkeys(outcome.scenario or outcome.suite for outcome in outcomes))
    return ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")


def _phases(suite: Any) -> dict[str, timedelta]:
    """Setups, tests and teardowns of a suite and of all below it; setups hold the act, tests only judge."""
    found = {"setup": timedelta(), "tests": timedelta(), "teardown": timedelta()}
    for step, name in ((suite.setup, "setup"), (suite.teardown, "teardown")):
        if step:
            found[name] += step.elapsed_time
    for test in suite.tests:
        found["tests"] += test.elapsed_time
    for child in suite.suites:
        for name, value in _phases(child).items():
            found[name] += value
    return found
