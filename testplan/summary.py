"""What the head of log and report says besides numbers: the verdict, the time of each phase, what was skipped and why.

Given to Robot as ``--prerebotmodifier testplan.summary.Summary``, so that a merged or parallel run has it, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from robot.api import ResultVisitor

from testplan.gate import Judgement, judge
from testplan.plan import load_plan
from testplan.results import Outcome, Verdict, results_of
from testplan.suites import read_tests

_MANY = 3
_WORST = 8


class Summary(ResultVisitor):  # type: ignore[misc]
    """Writes suite metadata into the result model that log and report are made from."""

    def start_suite(self, suite: Any) -> None:
        phases = _phases(suite)
        if phases["setup"] or phases["teardown"]:
            suite.metadata["Durations"] = ", ".join(
                f"{name} {value.total_seconds():.1f} s" for name, value in phases.items()
            )
        if suite.parent is None:
            results = results_of(suite)
            judgement = judge(results, load_plan(), read_tests())
            suite.doc = f"{_verdict(judgement)}\n\n{suite.doc}"
            if skipped := skips(results.outcomes):
                suite.metadata["Skipped"] = skipped[0] if len(skipped) == 1 else _listed(skipped)


def _verdict(judgement: Judgement) -> str:
    """In Robot's own markup. It stands in the documentation, because Robot shows that first."""
    headline = judgement.headline[:1].upper() + judgement.headline[1:]
    bad = [line for line in judgement.details if not line.startswith("SKIP")]
    more = [f"and {len(bad) - _WORST} more"] if len(bad) > _WORST else []
    lines = _listed([*bad[:_WORST], *more])
    return f"*Verdict: {judgement.word}.* {headline}. [signoff.html|Sign-off]" + (f"\n\n{lines}" if lines else "")


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
