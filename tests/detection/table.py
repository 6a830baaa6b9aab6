# SPDX-License-Identifier: Apache-2.0
"""The table of detection: which tests each defect must turn red, and what those must say. Data is in ``table/``."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.fault_points import Defect, all_defects
from testplan.plan import load_yaml
from testplan.results import Verdict
from testplan.suites import PlannedTest, read_tests

FOLDER = Path(__file__).parent / "table"
CONTROL = "vm_owner_limits"

# Short deadlines: a defect stays, so waiting longer changes nothing.
VARIABLES: Mapping[str, str] = {
    "ALLOW_DISRUPTIVE": "yes",
    "BOOT_TIMEOUT": "30s",
    "SWAP_TIMEOUT": "15s",
    "REACH_TIMEOUT": "8s",
    "SILENCE_WINDOW": "3s",
    "QUIET_WINDOW": "4s",
    "SETTLED_WINDOW": "4s",
    "CONDITION_TIMEOUT": "5s",
    "MONITORING_TIMEOUT": "10s",
}


class TableError(ValueError):
    """The table is not as it should be; the message names the file, the case and what is wrong."""


@dataclass(frozen=True)
class Case:
    """One run and what must come of it.

    ``suite`` is the stem of the file that must turn red, ``control`` that of an unrelated one that must stay green on
    the same cluster ("" for none). ``red`` maps tests to patterns that their messages must have; all other tests pass.
    ``verdict`` is that of the red tests; PASS says that there are none. ``errors`` are tests that must end in LAB
    ERROR beside those that FAIL: they cannot judge what the defect keeps them from asking. ``unnamed`` is the name of a
    case without a defect, ``lab`` the name of a fault that lies in the test's environment (``faults.py``).
    ``maybe`` are tests that chance lets the defect turn red as well, with a verdict like the others.
    ``printed`` is a pattern of what a run prints that leaves no results.
    ``cause`` is a pattern of the first line of a red message, and of the first page of the evidence of each red test.
    """

    defect: str
    suite: str
    verdict: Verdict
    red: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    maybe: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    control: str = CONTROL
    reduced: bool = False
    unnamed: str = ""
    lab: str = ""
    why: str = ""
    cause: str = ""
    printed: str = ""

    @property
    def title(self) -> str:
        """``what is wrong, in which suite``; unique."""
        return f"{self.defect or self.lab or self.unnamed}, {self.suite}"


def load_table(folder: Path = FOLDER) -> list[Case]:
    """Every case of every file. TableError names what is wrong."""
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        entries = load_yaml(path.read_text(encoding="utf-8"))
        cases += [_case(entry, path.name) for entry in entries]
    titles = [case.title for case in cases]
    if twice := {title for title in titles if titles.count(title) > 1}:
        raise TableError(f"cases must have titles of their own; there are two of: {'; '.join(sorted(twice))}")
    return cases


KEYS = {
    "defect",
    "lab",
    "name",
    "suite",
    "verdict",
    "red",
    "errors",
    "maybe",
    "cluster",
    "variables",
    "control",
    "reduced",
    "why",
    "cause",
    "printed",
}


def _case(entry: Mapping[str, Any], source: str) -> Case:
    if unknown := set(entry) - KEYS:
        raise TableError(f"{source}: {entry}: there is no key {', '.join(sorted(unknown))}")
    if sum(key in entry for key in ("defect", "lab", "name")) != 1 or "suite" not in entry:
        raise TableError(f"{source}: {entry}: a case has a suite, and one of defect, lab and name")
    red, errors, maybe = (
        {test: tuple(patterns) for test, patterns in (entry.get(key) or {}).items()}
        for key in ("red", "errors", "maybe")
    )
    if odd := [
        pattern
        for patterns in (*red.values(), *errors.values(), *maybe.values())
        for pattern in patterns
        if pattern != str(pattern)
    ]:
        raise TableError(f"{source}: {entry}: a pattern must be text, {odd[0]} is not; put it in quotes")
    verdict = Verdict(entry.get("verdict", "FAIL"))
    if bool(red or entry.get("printed")) == (verdict is Verdict.PASS):
        raise TableError(f"{source}: {entry}: red tests go with FAIL or LAB ERROR, and no red test with PASS")
    return Case(
        defect=entry.get("defect", ""),
        suite=entry["suite"],
        verdict=verdict,
        red=red,
        errors=errors,
        maybe=maybe,
        cluster=tuple(shlex.split(entry.get("cluster", ""))),
        variables=entry.get("variables") or {},
        control=entry.get("control", CONTROL),
        reduced=entry.get("reduced", False),
        unnamed=entry.get("name", ""),
        lab=entry.get("lab", ""),
        why=entry.get("why", ""),
        cause=entry.get("cause", ""),
        printed=entry.get("printed", ""),
    )


def tests_of(case: Case, tests: Iterable[PlannedTest]) -> list[PlannedTest]:
    """The tests of the case's suite."""
    return [test for test in tests if test.source.stem == case.suite]


def carrying_tests(case: Case, tests: Iterable[PlannedTest], defects: Mapping[str, Defect]) -> list[str]:
    """The red tests that carry a row which the defect violates."""
    rows = set(defects[case.defect].rows)
    return [test.name for test in tests_of(case, tests) if test.name in case.red and rows & set(test.requirements)]


def never_red(cases: Iterable[Case], tests: Iterable[PlannedTest]) -> list[PlannedTest]:
    """The tests that no case turns red."""
    red = {(case.suite, test) for case in cases for test in case.red}
    return [test for test in tests if (test.source.stem, test.name) not in red]


def noticed(cases: Iterable[Case], tests: Iterable[PlannedTest]) -> dict[str, list[str]]:
    """The scenarios with a test that each defect turns red, by defect; for `python -m emulator defects`."""
    scenario = {test.source.stem: test.metadata["Scenario"] for test in tests}
    found: dict[str, set[str]] = {}
    for case in cases:
        if case.defect:
            found.setdefault(case.defect, set()).update({scenario[case.suite]} if case.red or case.errors else ())
    return {name: sorted(names) for name, names in sorted(found.items())}


def flaws(cases: Iterable[Case]) -> list[str]:
    """What the table lacks, or says of suites and defects that do not exist; a line each."""
    cases = list(cases)
    tests, defects = read_tests(), all_defects()
    suites = {test.source.stem for test in tests}
    found = [f"defect {name}: no case" for name in set(defects) - {case.defect for case in cases}]
    for case in cases:
        names = {test.name for test in tests_of(case, tests)}
        found += [f"{case.title}: no suite {name}" for name in {case.suite, case.control} - suites - {""}]
        if case.control == case.suite:
            found.append(f"{case.title}: its control must be another suite")
        found += [f"{case.title}: no test {name!r}" for name in {*case.red, *case.errors, *case.maybe} - names]
        if case.defect and case.defect not in defects:
            found.append(f"{case.title}: no such defect")
        elif case.defect and defects[case.defect].fault == "lab" and case.verdict is Verdict.FAIL:
            found.append(f"{case.title}: a fault of the lab must not FAIL")
    for name, defect in defects.items():
        own = [case for case in cases if case.defect == name]
        if defect.fault == "product" and own and not any(carrying_tests(case, tests, defects) for case in own):
            found.append(f"defect {name}: no red test carries one of {', '.join(defect.rows)}")
    return sorted(found)
