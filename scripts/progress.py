# SPDX-License-Identifier: Apache-2.0
"""What the console shows of a run: a line for each suite that ended, and Robot's warnings. Nothing else.

Waits that take long tell of themselves, see ``livenad.api.progress``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from robot.api.console import BaseConsole
from robot.output.console.types import ConsoleColors, Status
from robot.utils import isatty

from testplan.results import BAD, Verdict, told_in_full, verdict_of_failure
from testplan.suites import SCENARIO_PREFIX

_WORST = (*BAD, Verdict.NOT_RUN, Verdict.PASS, Verdict.SKIP)
_COLOURS: dict[Verdict, Status] = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.TEST_ERROR: "ERROR",
    Verdict.LAB_ERROR: "ERROR",
}
_COUNTED = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.TEST_ERROR: "misused a keyword",
    Verdict.LAB_ERROR: "not judged",
    Verdict.SKIP: "skipped",
    Verdict.NOT_RUN: "not run",
}
_NAME = 28


class Progress(BaseConsole):  # type: ignore[misc]
    """A console of Robot's."""

    def __init__(self, colors: ConsoleColors = "AUTO") -> None:
        super().__init__(colors=colors)
        self._suites = 0
        self._ended = 0

    def start_suite(self, data: Any, result: Any) -> None:
        """Of the outermost suite: how many there are."""
        if data.parent is None:
            self._suites = _with_tests(data)

    def end_suite(self, data: Any, result: Any) -> None:
        """One line, with the worst verdict in front; for a suite of suites only when its teardown failed."""
        if result.tests:
            self._ended += 1
            self._show(result)
        elif result.has_teardown and result.teardown.failed:
            message = str(result.teardown.message)
            first = message.partition("\n")[0]
            self._line("", verdict_of_failure(message), f" teardown of {result.full_name}: {first}\n")

    def result_file(self, kind: Any, path: Any) -> None:
        """Files are named at the end, after the verdict."""

    def _show(self, result: Any) -> None:
        tests = [(test.name, str(test.message), _verdict(test)) for test in result.tests]
        counts = Counter(verdict for _, _, verdict in tests)
        worst = next(verdict for verdict in _WORST if counts[verdict])
        width = len(str(self._suites))
        number = f"{self._ended:>{width}}/{self._suites}  " if self._suites > 1 else ""
        scenario = next((tag for tag in result.tests[0].tags if tag.startswith(SCENARIO_PREFIX)), "")
        counted = ", ".join(f"{counts[one]} {_COUNTED[one]}" for one in _COUNTED if counts[one])
        why = _why([(name, message) for name, message, verdict in tests if verdict is worst], worst)
        took = f"{result.elapsed_time.total_seconds():.0f} s"
        rest = f" {scenario:<6}  {result.name:<{_NAME}}  {counted}, {took}{why}\n"
        self._line(number, worst, rest)

    def _line(self, number: str, worst: Verdict, rest: str) -> None:
        word = f"{worst:<10}"
        if not isatty(sys.__stdout__):
            # In one piece: others may be writing into the same pipe.
            self.write(number + word + rest)
            return
        self.write(number, flush=False)
        self.highlight(_COLOURS.get(worst, "WARN"), word, flush=False)
        self.write(rest)


def _with_tests(suite: Any) -> int:
    return bool(suite.tests) + sum(map(_with_tests, suite.suites))


def _verdict(test: Any) -> Verdict:
    """While a run lasts, Robot does not keep what ran; it gives the status all the same."""
    if test.failed:
        return verdict_of_failure(str(test.message))
    return Verdict.SKIP if test.skipped else Verdict.PASS


def _why(tests: Sequence[tuple[str, str]], verdict: Verdict) -> str:
    """The names of the red tests; the message where all have the same, as after a setup that failed.

    What a message lists, such as all that a cluster lacks, stands below it.
    """
    if verdict is Verdict.PASS:
        return ""
    said = [told_in_full(message, verdict)[verdict] for _, message in tests]
    if len(set(said)) == 1 and (len(said) > 1 or verdict is Verdict.SKIP):
        return ": " + "\n    ".join(said[0])
    return f": {'; '.join(name for name, _ in tests)}"
