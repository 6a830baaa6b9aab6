# SPDX-License-Identifier: Apache-2.0
"""What a run found, from Robot's output.xml: one outcome a test, with whose fault a bad one is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult, ResultVisitor
from robot.errors import DataError

from testplan.charts import charts_in
from testplan.misuse import is_misuse, last_error
from testplan.suites import SCENARIO_PREFIX, split_ids

LAB_ERROR_PREFIX = "LAB ERROR: "
TEST_ERROR_PREFIX = "TEST ERROR: "

# Robot's own words for tests that it never started.
_NOT_STARTED = (
    "Failure occurred and exit-on-failure mode is in use.",
    "Error occurred and exit-on-error mode is in use.",
    "Test execution stopped due to a fatal error.",
    "Execution terminated by signal",
)
_SEVERAL = "Several failures occurred:"
_FRAME = re.compile(
    r"(?:\A|\n\n)(?:Also )?(?:parent suite |suite )?(?:setup|teardown) failed:\n", re.IGNORECASE | re.MULTILINE
)
_KEYWORD_FRAME = re.compile(r"(?:\A|\n\n)(?:Also )?keyword teardown failed:\n", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\A|\n\n)\d+\) ")
# Robot's words for the end of a wait that nothing else ended: nothing is known of the product.
_TIMED_OUT = re.compile(r"(?:Test|Task|Keyword) timeout [^\n]+ exceeded\.")
_SKIPPED_ABOVE = re.compile(r"\ASkipped in (?:parent )?suite setup:\n")
_CAPABILITY = re.compile(r"capability ([a-z0-9-]+) is not there: ")
_EVIDENCE = re.compile(r"\[([^|\]]+)\|")
# The embedded cluster names the defects that were injected into it in its version.
_EMBEDDED = re.compile(r"\bv[\d.]+\+embedded((?:\.[a-z0-9-]+)*)")
ENVIRONMENT = "Environment"
"""The metadata that says that no real cluster was tested, and what was wrong with it on purpose."""


class ResultsError(ValueError):
    """The result file is missing or is not Robot's; the message says which."""


class Verdict(StrEnum):
    """What one test says. FAIL is the product's fault, TEST_ERROR the suite's, LAB_ERROR the lab's."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    TEST_ERROR = "TEST ERROR"
    LAB_ERROR = "LAB ERROR"
    SKIP = "SKIP"
    NOT_RUN = "NOT RUN"


# Worst first. Where a suite is wrong, nothing that the lab says of it can be trusted.
BAD = (Verdict.FAIL, Verdict.TEST_ERROR, Verdict.LAB_ERROR)


@dataclass(frozen=True)
class Outcome:
    """One test of a run. ``id`` is Robot's, by which log.html is linked; ``metadata`` has the suites' values too.

    ``charts`` has the ids of what the log shows of it: ``timeline``, ``connectivity``.
    """

    name: str
    suite: str
    id: str
    verdict: Verdict
    message: str
    seconds: float
    tags: tuple[str, ...]
    metadata: Mapping[str, str]
    charts: Mapping[str, str] = field(default_factory=dict)

    @property
    def scenario(self) -> str:
        return next((tag for tag in self.tags if tag.startswith(SCENARIO_PREFIX)), "")

    @property
    def requirements(self) -> list[str]:
        return split_ids(self.metadata.get("Requirements", ""))

    @property
    def is_p0(self) -> bool:
        return "p0" in self.tags

    @property
    def evidence(self) -> str:
        """The path of the evidence that was kept of it, as seen from the results; "" for none."""
        found = _EVIDENCE.match(self.metadata.get("Evidence", ""))
        return found[1] if found else ""

    @property
    def unobserved(self) -> str:
        """What a test that passed could not observe, as guests lack a tool; "" for nothing."""
        return self.metadata.get("Not observed", "") if self.verdict is Verdict.PASS else ""

    @property
    def missing_capability(self) -> str:
        """The capability that the cluster lacks, when that and nothing else is why this test was skipped."""
        parts = failures(self.message)
        found = _CAPABILITY.match(parts[0]) if self.verdict is Verdict.SKIP and len(parts) == 1 else None
        return found[1] if found else ""

    @property
    def first_line(self) -> str:
        """The first line of the failure that made the verdict, without Robot's words about where it happened."""
        return self.told[self.verdict]

    @property
    def told(self) -> Mapping[Verdict, str]:
        """The same of a failure of each kind, worst first: a test may tell of the suite and of the lab, too."""
        return told(self.message, self.verdict)


@dataclass(frozen=True)
class Results:
    """A whole run. ``metadata`` is that of the outermost suite: what was tested and where."""

    name: str
    outcomes: tuple[Outcome, ...]
    metadata: Mapping[str, str]
    started: datetime | None
    seconds: float
    generator: str

    @property
    def where(self) -> str:
        """What a title adds to the verdict: that the cluster was no real one, and its defects; "" of a real one."""
        return self.metadata.get(ENVIRONMENT, "")


def with_environment(metadata: Mapping[str, str]) -> dict[str, str]:
    """With what the version in the metadata ``Cluster`` tells of an embedded cluster; of any other one as it is."""
    found = _EMBEDDED.search(metadata.get("Cluster", ""))
    if not found:
        return dict(metadata)
    defects = ", ".join(found[1].split(".")[1:])
    where = "embedded cluster, not a real one" + (f"; injected defects: {defects}" if defects else "")
    return {ENVIRONMENT: where, **metadata}


class _Collector(ResultVisitor):  # type: ignore[misc]
    """Walks the suites and carries their metadata down to the tests."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._metadata: list[dict[str, str]] = [{}]
        self._charts: dict[str, str] = {}

    def start_suite(self, suite: Any) -> None:
        self._metadata.append({**self._metadata[-1], **suite.metadata})
        self._charts = charts_in(suite.setup, suite.teardown) if suite.tests else {}

    def end_suite(self, suite: Any) -> None:
        self._metadata.pop()

    def visit_test(self, test: Any) -> None:
        self.outcomes.append(
            Outcome(
                name=test.name,
                suite=test.parent.full_name,
                id=test.id,
                verdict=_verdict(test),
                message=test.message,
                seconds=test.elapsed_time.total_seconds(),
                tags=tuple(test.tags),
                metadata={**self._metadata[-1], **test.metadata},
                charts=self._charts | charts_in(test),
            )
        )


def read_results(path: Path) -> Results:
    """Reads an output.xml (or .json); ResultsError says why it cannot be used."""
    try:
        result = ExecutionResult(path)
    except DataError as error:
        raise ResultsError(f"{path}: {error.message}") from error
    return results_of(result.suite, result.generator or "")


def results_of(suite: Any, generator: str = "") -> Results:
    """The same from the outermost suite of a result model."""
    collector = _Collector()
    suite.visit(collector)
    return Results(
        name=suite.name,
        outcomes=tuple(collector.outcomes),
        metadata=with_environment(suite.metadata),
        started=suite.start_time,
        seconds=suite.elapsed_time.total_seconds(),
        generator=generator,
    )


def failures(message: str) -> list[str]:
    """The single failures that Robot joined into one message: of setup, body and teardowns, in order."""
    found = []
    for part in _FRAME.split(_SKIPPED_ABOVE.sub("", message)):
        for one in _numbered(part):
            # A keyword's own teardown is within one of the failures that are numbered, and may have several itself.
            found += [single for piece in _KEYWORD_FRAME.split(one) for single in _numbered(piece)]
    return [part.strip() for part in found if part.strip() not in {"", _SEVERAL}]


def _numbered(part: str) -> list[str]:
    return _NUMBER.split(part[len(_SEVERAL) :]) if part.startswith(_SEVERAL) else [part]


def told(message: str, verdict: Verdict) -> dict[Verdict, str]:
    """The first line of the first failure of each kind, worst first; of another verdict than a bad one just its own."""
    return {kind: lines[0] for kind, lines in told_in_full(message, verdict).items()}


def told_in_full(message: str, verdict: Verdict) -> dict[Verdict, tuple[str, ...]]:
    """The same, each followed by the items (``- one``) that its message lists."""
    parts = failures(message)
    first: dict[Verdict, tuple[str, ...]] = {}
    for part in parts:
        first.setdefault(_blamed(part), _with_items(part))
    if verdict in first:
        return {kind: first[kind] for kind in BAD if kind in first}
    return {verdict: _with_items(parts[0]) if parts else ("",)}


def _with_items(failure: str) -> tuple[str, ...]:
    first, *rest = failure.splitlines()
    return first, *(line.strip() for line in rest if line.startswith("  - "))


@dataclass(frozen=True)
class Told:
    """One message of a run, the items that it lists, and the tests that say it: a setup that fails, fails them all."""

    verdict: Verdict
    message: str
    items: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def first(self) -> Outcome:
        return self.outcomes[0]

    @property
    def more(self) -> str:
        """`` and 7 more``, for behind the name of the first test."""
        return f" and {len(self.outcomes) - 1} more" if len(self.outcomes) > 1 else ""


def by_message(outcomes: Iterable[Outcome]) -> list[Told]:
    """The messages of these tests, the worst first, each without the prefix that says whose fault it is."""
    groups: dict[tuple[Verdict, tuple[str, ...]], list[Outcome]] = {}
    for outcome in outcomes:
        for said in told_in_full(outcome.message, outcome.verdict).items():
            groups.setdefault(said, []).append(outcome)
    found = [
        Told(verdict, bare(first), tuple(item.removeprefix("- ") for item in items), tuple(group))
        for (verdict, (first, *items)), group in groups.items()
    ]
    return sorted(found, key=lambda one: BAD.index(one.verdict) if one.verdict in BAD else len(BAD))


def bare(line: str) -> str:
    """A line of a failure without the prefix that says whose fault it is, for where that stands beside it."""
    return line.removeprefix(LAB_ERROR_PREFIX).removeprefix(TEST_ERROR_PREFIX)


def verdict_of_failure(message: str) -> Verdict:
    """Whose fault it is: one failure of the product makes it the product's, else one of the suite the suite's."""
    if message.startswith(_NOT_STARTED):
        return Verdict.NOT_RUN
    blamed = {_blamed(part) for part in failures(message)}
    return next((kind for kind in BAD if kind in blamed), Verdict.FAIL)


def _blamed(failure: str) -> Verdict:
    text = last_error(failure)
    if text.startswith(TEST_ERROR_PREFIX) or is_misuse(text):
        return Verdict.TEST_ERROR
    hindered = text.startswith(LAB_ERROR_PREFIX) or _TIMED_OUT.fullmatch(text)
    return Verdict.LAB_ERROR if hindered else Verdict.FAIL


def _verdict(test: Any) -> Verdict:
    if test.skipped:
        return Verdict.SKIP
    if test.failed:
        return verdict_of_failure(test.message)
    # A dry run passes every test without executing one library keyword of it.
    return Verdict.PASS if any(_executed(step) for step in (test.setup, *test.body) if step) else Verdict.NOT_RUN


def _executed(step: Any) -> bool:
    """Whether a library keyword ran in this step; user keywords and control structures pass in a dry run, too."""
    if step.status != "PASS":
        return False
    inner = [child for child in step.body if hasattr(child, "status")]
    return any(map(_executed, inner)) if inner else True
