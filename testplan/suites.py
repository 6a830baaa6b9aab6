# SPDX-License-Identifier: Apache-2.0
"""The tests that the suites hold, as Robot's own parser sees them; nothing is executed or imported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from robot.api import TestSuite

SUITES = Path(__file__).parent.parent / "suites"
SCENARIO_PREFIX = "nad-"
_ROW_TAG = re.compile(r"r[0-9]+")
_POINT = re.compile(r"^- \*([^*:]+):\* (.*?)(?=^- \*|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class PlannedTest:
    """One test as written. ``metadata`` has the suites' values too, the innermost winning."""

    name: str
    suite: str
    source: Path
    line: int
    tags: tuple[str, ...]
    metadata: Mapping[str, str]
    documentation: str = ""

    @cached_property
    def scenarios(self) -> list[str]:
        return [tag for tag in self.tags if tag.startswith(SCENARIO_PREFIX)]

    @property
    def requirements(self) -> list[str]:
        return split_ids(self.metadata.get("Requirements", ""))

    @property
    def row_tags(self) -> list[str]:
        return [tag for tag in self.tags if _ROW_TAG.fullmatch(tag)]


@dataclass(frozen=True)
class SuiteForm:
    """What a suite's documentation says: its first sentence, and the points of the form, by their names.

    Every suite has *Topology*, *Moves*, *Verified* and *Reference*. ``setup`` is the keyword that acts.
    """

    scenario: str
    source: Path
    summary: str
    setup: str
    points: Mapping[str, str]


def split_ids(text: str) -> list[str]:
    """``R1, R2`` as a list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def in_ranges(ids: Iterable[str]) -> str:
    """``nad-01, nad-03 to nad-25``: of three or more that follow each other only the first and the last are named."""
    groups: list[list[str]] = []
    for name in sorted(ids):
        if groups and 0 < _number(groups[-1][-1]) == _number(name) - 1:
            groups[-1].append(name)
        else:
            groups.append([name])
    return ", ".join(f"{group[0]} to {group[-1]}" if len(group) > 2 else ", ".join(group) for group in groups)


def _number(name: str) -> int:
    """-1 of a name without one, as that of a suite outside the plan."""
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def read_tests(path: Path = SUITES) -> list[PlannedTest]:
    """Every test under this folder or file, in the order of a run."""
    return list(_read(path, _stamps(path)))


@lru_cache(maxsize=8)
def _read(path: Path, _: Sequence[tuple[str, int, int]]) -> tuple[PlannedTest, ...]:
    return tuple(_walk(TestSuite.from_file_system(path), {}))


def _stamps(path: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells whether suites are still as they were when they were read: parsing them takes half a second."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.is_file())


def read_forms(path: Path = SUITES) -> list[SuiteForm]:
    """The documentation of every suite that has tests, in the order of a run."""
    return list(_forms(TestSuite.from_file_system(path)))


def _forms(suite: Any) -> Iterator[SuiteForm]:
    if suite.tests:
        points = {name: " ".join(text.split()) for name, text in _POINT.findall(suite.doc)}
        yield SuiteForm(
            scenario=suite.metadata.get("Scenario", ""),
            source=Path(suite.source),
            summary=" ".join(suite.doc.split("\n\n", 1)[0].split()),
            setup=suite.setup.name or "" if suite.has_setup else "",
            points=points,
        )
    for child in suite.suites:
        yield from _forms(child)


def _walk(suite: Any, inherited: Mapping[str, str]) -> Iterator[PlannedTest]:
    # Robot keeps suite metadata at its suite: what a suite says of its tests has to be carried down to them.
    metadata = {**inherited, **suite.metadata}
    for test in suite.tests:
        yield PlannedTest(
            name=test.name,
            suite=suite.full_name,
            source=Path(suite.source),
            line=test.lineno,
            tags=tuple(test.tags),
            metadata={**metadata, **test.metadata},
            documentation=" ".join(test.doc.split()),
        )
    for child in suite.suites:
        yield from _walk(child, metadata)


def longest_first(path: Path = SUITES) -> list[str]:
    """The suites' long names, in the order that keeps several processes busy to the end.

    What looks at guests takes longer than what looks at the API, and many tests longer than few. What needs the cluster
    for itself comes last: it would keep the others waiting.
    """
    tests = read_tests(path)
    count = Counter(test.suite for test in tests)
    tags = {test.suite: test.tags for test in tests}
    return sorted(count, key=lambda name: ("disruptive" in tags[name], "tier2" not in tags[name], -count[name], name))
