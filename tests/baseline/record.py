# SPDX-License-Identifier: Apache-2.0
"""The file: what was seen of every test, in every run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from testplan.results import verdict_of_failure
from tests.baseline.normalise import normalised

GATE = "exit code of the gate"


class Key(NamedTuple):
    """One test of one run. A scenario's tag outlives the names of suites and of their files."""

    run: str
    scenario: str
    test: str


@dataclass(frozen=True)
class Seen:
    """What a test said. ``raw`` is kept, so that files of different ages are normalised alike when compared."""

    status: str
    raw: str = ""

    @property
    def message(self) -> str:
        return normalised(self.raw)

    def same_as(self, other: Seen) -> bool:
        return (self.status, self.message) == (other.status, other.message)


@dataclass
class Record:
    """What came of one run: a cell of the matrix or a case of the table of detection.

    Whatever differed from one time to the next is there side by side. ``times`` counts them.
    """

    times: int = 1
    gate: list[int] = field(default_factory=list)
    tests: dict[tuple[str, str], list[Seen]] = field(default_factory=dict)

    def add(self, again: Record) -> None:
        """What was seen another time."""
        self.times += again.times
        self.gate = sorted({*self.gate, *again.gate})
        for key, several in again.tests.items():
            known = self.tests.setdefault(key, [])
            known += [seen for seen in several if not any(map(seen.same_as, known))]

    def entries(self, run: str) -> Iterator[tuple[Key, list[Seen]]]:
        """Every test, and the exit code as if it were one."""
        yield Key(run, "", GATE), [Seen(str(code)) for code in self.gate]
        for (scenario, test), several in self.tests.items():
            yield Key(run, scenario, test), several


Records = dict[str, Record]


def load(path: Path) -> Records:
    """By the names of the runs."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {run: _record(entry) for run, entry in data.items()}


def _record(entry: dict[str, Any]) -> Record:
    tests = {
        (scenario, test): [_loaded(one) for one in several]
        for scenario, by_test in entry["tests"].items()
        for test, several in by_test.items()
    }
    return Record(entry["times"], entry["gate"], tests)


def _loaded(one: dict[str, str]) -> Seen:
    raw = one.get("raw", one["message"])
    # A file from when the faults of lab and suites had one word.
    return Seen(str(verdict_of_failure(raw)) if one["status"] == "ERROR" else one["status"], raw)


def write(path: Path, records: Records) -> None:
    """Whole or not at all."""
    data = {run: _entry(record) for run, record in sorted(records.items())}
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(path)


def _entry(record: Record) -> dict[str, Any]:
    tests: dict[str, dict[str, list[dict[str, str]]]] = {}
    for (scenario, test), several in sorted(record.tests.items()):
        tests.setdefault(scenario, {})[test] = [_seen(one) for one in several]
    return {"times": record.times, "gate": record.gate, "tests": tests}


def _seen(one: Seen) -> dict[str, str]:
    raw = {} if one.raw == one.message else {"raw": one.raw}
    return {"status": one.status, "message": one.message, **raw}
