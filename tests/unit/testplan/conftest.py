# SPDX-License-Identifier: Apache-2.0
"""A small plan and the suite that fits it, to be spoiled in one place by each test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from robot.run import run as run_robot

from testplan.plan import Plan, load_plan
from testplan.results import Results, read_results

PLAN: dict[str, Any] = {
    "feature": "Some Feature",
    "external": [
        {"id": "VEP-140", "kind": "enhancement", "tracker": "github", "title": "The proposal", "url": "https://a/140"},
        {"id": "CNV-15945", "kind": "test", "tracker": "polarion", "title": "A test case", "url": "https://b/15945"},
    ],
    "capabilities": [
        {"name": "localnet", "text": "Localnet networks."},
        {"name": "ipv6", "text": "IPv6 in the guests."},
    ],
    "requirements": [
        {"id": "R1", "text": "It works.", "priority": "P0", "tier": 2, "source": ["draft"]},
        {"id": "R2", "text": "It holds.", "priority": "P1", "tier": 2, "source": ["own"]},
        {"id": "R3", "text": "Later.", "priority": "P1", "source": ["own"], "status": "planned", "note": "Not yet."},
    ],
    "scenarios": [
        {
            "id": "nad-01",
            "title": "The scenario",
            "priority": "P0",
            "tier": 2,
            "requirements": ["R1", "R2"],
            "external": ["VEP-140", "CNV-15945"],
            "status": "automated",
        }
    ],
    "exclusions": [{"what": "The rest", "reason": "Out of scope.", "agreement": "open"}],
}

SUITE = """\
*** Settings ***
Metadata    Scenario    nad-01
Test Tags    p0    tier2    vep-140    cnv-15945    nad-01

*** Test Cases ***
First
    [Metadata]    Requirements    R1
    [Tags]    r1
    Log    one

Second
    [Metadata]    Requirements    R1, R2
    [Tags]    r1    r2
    Log    two
"""


@pytest.fixture
def plan_data() -> dict[str, Any]:
    return copy.deepcopy(PLAN)


@pytest.fixture
def write_plan(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes a plan and returns its path."""

    def write(data: dict[str, Any]) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
        return path

    return write


@pytest.fixture
def plan(write_plan: Callable[[dict[str, Any]], Path], plan_data: dict[str, Any]) -> Plan:
    return load_plan(write_plan(plan_data))


@pytest.fixture
def write_suite(tmp_path: Path) -> Callable[..., Path]:
    """Writes a suite, and further ones, and returns the folder that holds them."""

    def write(text: str, *further: str) -> Path:
        folder = tmp_path / "suites"
        folder.mkdir(exist_ok=True)
        (folder / "suite.robot").write_text(text, encoding="utf-8")
        for number, other in enumerate(further, 2):
            (folder / f"suite_{number}.robot").write_text(other, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def run_suite(tmp_path: Path, write_suite: Callable[..., Path]) -> Callable[..., Results]:
    """Runs suites by Robot itself and reads what it left."""

    def run(*texts: str, **options: Any) -> Results:
        output = tmp_path / "output.xml"
        run_robot(write_suite(*texts), output=str(output), log=None, report=None, console="none", **options)
        return read_results(output)

    return run
