# SPDX-License-Identifier: Apache-2.0
"""Runs one case of the table and says whether the suites did what they must."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from emulator.fault_points import all_defects
from testplan.results import Outcome, Verdict
from tests.detection.faults import FAULTS
from tests.detection.table import VARIABLES, Case
from tests.embedded import SUITES, RobotRun, run_robot

TOO_BUSY = "too few requests were sent: was a guest frozen or overloaded?"
# A message names an object, says what was expected of it, and what was seen.
OBJECT = re.compile(r"\b(?:VMI?|NIC|VM owner|service account|kubevirt_vmi?_vnic_info|[Gg]uest|owner)\b")
EXPECTATION = re.compile(r"\b(?:expected|should|to be|to stay|deadline)\b")
PATIENCE = 240.0


@dataclass
class Judged:
    """What came of a case. ``wrong`` is empty when the case came out as it must."""

    case: Case
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    printed: str = ""

    @property
    def caught(self) -> bool:
        return not self.wrong

    @property
    def red(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.verdict is not Verdict.PASS]


def judge(case: Case, folder: Path) -> Judged:
    """Runs the case in ``folder``. One in which the lab was too busy has judged nothing: it is run once more."""
    began = time.monotonic()
    run = _run(case, folder / "first")
    if any(TOO_BUSY in outcome.message for outcome in _outcomes(run)):
        run = _run(case, folder / "again")
    judged = Judged(case, _outcomes(run), seconds=time.monotonic() - began)
    if case.printed and (found := re.search(case.printed, run.printed)):
        judged.printed = found[0]
    judged.wrong = differences(case, judged.outcomes, run.printed)
    if case.cause and not judged.wrong:
        judged.wrong = untold_causes(case, judged.outcomes, run.folder)
    return judged


def _outcomes(run: RobotRun) -> list[Outcome]:
    return list(run.results.outcomes) if run.results else []


def _run(case: Case, folder: Path) -> RobotRun:
    variables = {**VARIABLES, **case.variables}
    options = [word for name, value in variables.items() for word in ("--variable", f"{name}:{value}")]
    suites = SUITES
    if case.suite == "cluster_is_fit":
        # By itself, so that its checks judge the cluster and not the root's setup.
        suites = SUITES / "preflight"
    else:
        options += [word for suite in (case.suite, case.control) if suite for word in ("--suite", suite)]
    cluster = [*case.cluster, *(("--defect", case.defect) if case.defect else ())]
    if case.lab:
        return FAULTS[case.lab](folder, options, cluster, suites)
    return run_robot(folder, *options, cluster=cluster, suites=suites, timeout=PATIENCE)


def differences(case: Case, outcomes: list[Outcome], printed: str = "") -> list[str]:
    """What is not as the table says, a line each; ``printed`` is shown where nothing came out at all."""
    if case.printed:
        said = bool(re.search(case.printed, printed))
        return [] if said and not outcomes else [f"{case.printed!r} was not all that came of it: {printed[-1500:]}"]
    if not outcomes:
        return [f"the run gave no results: {printed[-1500:]}"]
    seen = {outcome.name: outcome for outcome in outcomes}
    needed = {**dict.fromkeys(case.red, case.verdict), **dict.fromkeys(case.errors, Verdict.LAB_ERROR)}
    expected = {**dict.fromkeys(case.maybe, case.verdict), **needed}
    patterns = {**case.maybe, **case.red, **case.errors}
    wrong = [f"{name!r} stayed green" for name in needed if name in seen and seen[name].verdict is Verdict.PASS]
    wrong += [f"{name!r} did not run" for name in expected if name not in seen]
    for outcome in outcomes:
        if outcome.verdict is Verdict.PASS:
            continue
        if outcome.name not in expected:
            wrong.append(f"{outcome.name!r} is red as well: {outcome.verdict} {outcome.message}")
            continue
        if outcome.verdict is not expected[outcome.name]:
            wrong.append(f"{outcome.name!r} is {outcome.verdict}, not {expected[outcome.name]}: {outcome.message}")
        wrong += [
            f"{outcome.name!r}: {pattern!r} is not in: {outcome.message}"
            for pattern in patterns[outcome.name]
            if not re.search(pattern, outcome.message, re.DOTALL)
        ]
        if outcome.verdict is Verdict.FAIL:
            wrong += _unclear(outcome)
    return wrong


def untold_causes(case: Case, outcomes: list[Outcome], folder: Path) -> list[str]:
    """The red tests whose evidence does not show the cause before its files; and whether no message names it."""
    red = [outcome for outcome in outcomes if outcome.name in case.red]
    found = []
    if not any(re.search(case.cause, outcome.first_line) for outcome in red):
        found.append(f"no first line names the cause {case.cause!r}: {[outcome.first_line for outcome in red]}")
    for outcome in red:
        page = folder / outcome.metadata.get("Evidence", "").strip("[]").partition("|")[0]
        shown = unescape(page.read_text(encoding="utf-8").partition("<h2>Files")[0]) if page.is_file() else ""
        if not re.search(case.cause, shown):
            found.append(f"{outcome.name!r}: {case.cause!r} is not on the first page of its evidence, {page}")
    return found


def _unclear(outcome: Outcome) -> list[str]:
    found = []
    if not OBJECT.search(outcome.message):
        found.append(f"{outcome.name!r} names no object: {outcome.message}")
    if not EXPECTATION.search(outcome.message):
        found.append(f"{outcome.name!r} does not say what was expected: {outcome.message}")
    return found


def sentence_of(case: Case) -> str:
    """What is wrong in this case, in words."""
    if case.defect:
        return all_defects()[case.defect].sentence
    if case.lab:
        return (FAULTS[case.lab].__doc__ or "").strip()
    return "No defect is switched on."
