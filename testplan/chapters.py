# SPDX-License-Identifier: Apache-2.0
"""The chapters of the test plan beside its rows and scenarios, read and checked against their schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testplan.plan import Plan, PlanError, Requirement, read_checked

HERE = Path(__file__).parent
CHAPTERS = HERE / "chapters.yaml"
SCHEMA = HERE / "chapters.schema.json"
OPEN = "open"
"""What no source gives: an approver, a date, an owner, a URL."""


@dataclass(frozen=True)
class Chapters:
    """The data of ``chapters.yaml``, by the names of its schema."""

    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def reference(self, name: str) -> dict[str, str] | None:
        """The entry of ``references`` with this id."""
        return next((row for row in self.data["references"] if row["id"] == name), None)


def load_chapters(path: Path = CHAPTERS) -> Chapters:
    """Reads the chapters; PlanError lists every place that does not fit the schema."""
    data = read_checked(path, json.loads(SCHEMA.read_text(encoding="utf-8")))
    chapters = Chapters(data)
    unknown = sorted({name for name in _references(data) if chapters.reference(name) is None})
    if unknown:
        raise PlanError(f"{path.name}: references has no entry {', '.join(unknown)}")
    return chapters


def approval(row: Requirement) -> tuple[str, str]:
    """Who approved a waiver, and when."""
    return row.approver or OPEN, row.approved or OPEN


def open_points(plan: Plan, chapters: Chapters) -> list[str]:
    """What is open, one line each: everything in the data that says so, and scenarios without a test case elsewhere."""
    cases = {external.id for external in plan.external if external.of_one_scenario}
    return [
        *_open(chapters.data, ()),
        *(f"waiver of {row.id}" for row in plan.requirements if row.status == "waived" and OPEN in approval(row)),
        *(f"agreement to leave out: {exclusion.what}" for exclusion in plan.exclusions if exclusion.agreement == OPEN),
        *(
            f"test case of {scenario.id} in Polarion"
            for scenario in plan.scenarios
            if scenario.automated and not cases.intersection(scenario.external)
        ),
    ]


def _open(data: Any, place: tuple[str, ...]) -> Iterator[str]:
    if data == OPEN:
        yield " ".join(place)
    elif isinstance(data, dict):
        name = next((str(data[key]) for key in ("role", "category", "what", "check") if key in data), "")
        for key, value in data.items():
            yield from _open(value, (*place, *([name] if name else []), str(key)))
    elif isinstance(data, list):
        for value in data:
            yield from _open(value, place)


def _references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "reference":
                yield value
            else:
                yield from _references(value)
    elif isinstance(data, list):
        for value in data:
            yield from _references(value)
