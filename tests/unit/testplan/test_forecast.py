# SPDX-License-Identifier: Apache-2.0
"""What a preflight tells of the scenarios, from what its suite leaves in its metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testplan.forecast import forecast
from testplan.plan import load_plan
from testplan.results import Results
from testplan.suites import read_tests

from .conftest import SUITE

LACKING = "no: variable LOCALNET is none; remedy: set it"
PREFLIGHT = """\
*** Settings ***
Metadata    ipv6    yes: there
Metadata    localnet    {localnet}
Test Tags    p1    nad-25

*** Test Cases ***
Fit
    Log    yes
"""


@pytest.fixture
def told(
    run_suite: Callable[..., Results],
    write_plan: Callable[[dict[str, Any]], Path],
    plan_data: dict[str, Any],
    tmp_path: Path,
) -> Callable[..., list[str]]:
    """Runs a suite, and returns what is foretold of a P0 scenario and of a P1 that needs localnet."""
    p1 = {**plan_data["scenarios"][0], "id": "nad-02", "priority": "P1", "external": [], "needs": ["ipv6", "localnet"]}
    plan_data["scenarios"][1:] = [p1, {**p1, "id": "nad-25", "needs": ["ipv6"]}]
    plan = load_plan(write_plan(plan_data))

    def run(text: str, *planned: str, **options: Any) -> list[str]:
        suites = (text, SUITE, SUITE.replace("nad-01", "nad-02").replace("First", "Third"))
        results = run_suite(*suites, **options)
        return list(forecast(results, planned, plan, read_tests(tmp_path / "suites")))

    return run


def test_a_scenario_that_will_be_skipped_is_named_with_what_is_lacking(told: Callable[..., list[str]]) -> None:
    assert told(PREFLIGHT.format(localnet=LACKING), include=["nad-25"]) == [
        "Of 2 scenarios 1 can run here, skipped will be:",
        "  nad-02: localnet: variable LOCALNET is none; remedy: set it",
    ]


def test_what_is_unknown_counts_as_lacking(told: Callable[..., list[str]]) -> None:
    said = told(PREFLIGHT.format(localnet="unknown: forbidden"), include=["nad-25"])
    assert said[1:] == ["  nad-02: localnet: unknown: forbidden"]


def test_only_what_was_chosen_is_foretold(told: Callable[..., list[str]]) -> None:
    assert told(PREFLIGHT.format(localnet=LACKING), "Second", include=["nad-25"])[0].startswith("Of 2 scenarios")
    assert told(PREFLIGHT.format(localnet=LACKING), "First", include=["nad-25"]) == ["Of 1 scenarios 1 can run here."]


def test_all_can_run(told: Callable[..., list[str]]) -> None:
    assert told(PREFLIGHT.format(localnet="yes: there"), include=["nad-25"]) == ["Of 2 scenarios 2 can run here."]


def test_a_run_of_more_than_the_preflight_has_told_of_its_skips(told: Callable[..., list[str]]) -> None:
    assert told(PREFLIGHT.format(localnet=LACKING)) == []
