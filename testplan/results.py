"""What a run found, from Robot's output.xml: one outcome a test, with whose fault a bad one is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult, ResultVisitor
from robot.errors import DataError

from testplan.suites import SCENARIO_PREFIX, split_ids

LAB_ERROR_PREFIX = "LAB ERROR: "

# Robot's own words for tests that it never started.
_NOT_STARTED = (
    "Failure occurred and exit-on-failure mode is in use.",
    "Error occurred and exit-on-error mode is in use.",
    "Test execution stopped due to a fatal error.",
    "Execution terminated by signal",
)
# An exception that nobody meant for a verdict, and Robot's words for broken test data: the fault is the tests' own,
# which is the lab's fault and not the product's. Robot leaves the name out of AssertionError, RuntimeError and its own.
_OWN_FAULT = re.compile(
    r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Timeout|Exit|Interrupt): "
    r"|No keyword with name |Variable '.+' not found|Importing .+ failed: |Keyword '.+' (?:expected|missing|got) "
)
_SEVERAL = "Several failures occurred:"
_FRAME = re.compile(
    r"(?:\A|\n\n)(?:Also )?(?:parent suite |suite )?(?:setup|teardown) failed:\n", re.IGNORECASE | re.MULTILINE
)
_NUMBER = re.compile(r"(?:\A|\n\n)\d+\) ")
_SKIPPED_ABOVE = re.compile(r"\ASkipped in (?:parent )?suite setup:\n")
_CAPABILITY = re.compile(r"capability ([a-z0-9-]+) is not there: ")


class ResultsError(ValueError):
    """The result file is missing or is not Robot's; the message says which."""


class Verdict(StrEnum):
    """What one test says. ERROR is the lab's fault, FAIL the product's."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    ERROR = "ERROR"
    SKIP = "SKIP"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Outcome:
    """One test of a run. ``id`` is Robot's, by which log.html is linked; ``metadata`` has the suites' values too."""

    name: str
    suite: str
    id: str
    verdict: Verdict
    message: str
    seconds: float
    tags: tuple[str, ...]
    metadata: Mapping[str, str]

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
    def missing_capability(self) -> str:
        """The capability that the cluster lacks, when that and nothing else is why this test was skipped."""
        parts = failures(self.message)
        found = _CAPABILITY.match(parts[0]) if self.verdict is Verdict.SKIP and len(parts) == 1 else None
        return found[1] if found else ""

    @property
    def first_line(self) -> str:
        """The first line of the first failure, without Robot's words about where it happened."""
        parts = failures(self.message)
        return parts[0].splitlines()[0] if parts else ""


@dataclass(frozen=True)
class Results:
    """A whole run. ``metadata`` is that of the outermost suite: what was tested and where."""

    name: str
    outcomes: tuple[Outcome, ...]
    metadata: Mapping[str, str]
    started: datetime | None
    seconds: float
    generator: str


class _Collector(ResultVisitor):  # type: ignore[misc]
    """Walks the suites and carries their metadata down to the tests."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._metadata: list[dict[str, str]] = [{}]

    def start_suite(self, suite: Any) -> None:
        self._metadata.append({**self._metadata[-1], **suite.metadata})

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
        metadata=dict(suite.metadata),
        started=suite.start_time,
        seconds=suite.elapsed_time.total_seconds(),
        generator=generator,
    )


def failures(message: str) -> list[str]:
    """The single failures that Robot joined into one message: of setup, body and teardowns, in order."""
    found = []
    for part in _FRAME.split(_SKIPPED_ABOVE.sub("", message)):
        if part.startswith(_SEVERAL):
            found += _NUMBER.split(part[len(_SEVERAL) :])
        else:
            found.append(part)
    return [part.strip() for part in found if part.strip()]


def verdict_of_failure(message: str) -> Verdict:
    """ERROR when lab or tests alone are to blame; one failure that is not theirs makes it a FAIL of the product."""
    if message.startswith(_NOT_STARTED):
        return Verdict.NOT_RUN
    parts = failures(message)
    ours = [part.startswith(LAB_ERROR_PREFIX) or _OWN_FAULT.match(part) for part in parts]
    return Verdict.ERROR if ours and all(ours) else Verdict.FAIL


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
