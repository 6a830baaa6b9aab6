# SPDX-License-Identifier: Apache-2.0
"""What the README, lanes and profiles of RobotCode say that a selection runs is what Robot runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from robot.api import TestSuite
from robot.conf import RobotSettings
from robot.run import RobotFramework

from testplan.plan import Scenario, load_plan
from testplan.suites import PlannedTest, read_tests

from .conftest import ROOT

SCENARIO = re.compile(r"nad-\d+")
ROW = re.compile(r"^\| .+ \| `(--(?:include|exclude|test) .+)` \|$", re.MULTILINE)

# Of each row: whether a test is one of it, by the plan and the test's metadata and not by the tags that Robot goes by.
# A tag stands here only where nothing else says the same.
SELECTS: dict[str, Callable[[PlannedTest, Scenario], bool]] = {
    "--include p0": lambda test, scenario: scenario.priority == "P0",
    '--include "p1 AND localnet"': lambda test, scenario: scenario.priority == "P1" and "localnet" in test.tags,
    "--exclude disruptive": lambda test, scenario: "disruptive" not in test.tags,
    "--include tier1": lambda test, scenario: scenario.tier == 1,
    "--include nad-01": lambda test, scenario: test.metadata["Scenario"] == "nad-01",
    "--include r9": lambda test, scenario: "R9" in test.requirements,
    "--include cnv-15972": lambda test, scenario: "CNV-15972" in scenario.external and "cnv-15972" in test.tags,
    "--include cnv-72329": lambda test, scenario: "CNV-72329" in scenario.external,
    "--include p1ORp2 --exclude negative": lambda test, scenario: (
        scenario.priority in {"P1", "P2"} and "negative" not in test.tags
    ),
    '--test "VM Is Silent*"': lambda test, scenario: test.name.startswith("VM Is Silent"),
}

LANES = {
    "p0": SELECTS["--include p0"],
    "full": lambda test, scenario: True,
    "nondisruptive": SELECTS["--exclude disruptive"],
}


def readme_rows() -> list[str]:
    return ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def test_every_row_of_the_readme_is_tried() -> None:
    assert sorted(readme_rows()) == sorted(SELECTS)


@pytest.mark.parametrize("options", readme_rows())
def test_a_row_of_the_readme_selects_what_it_says(options: str) -> None:
    expected = planned(SELECTS[options])
    assert expected, "the row selects nothing"
    assert selected(*shlex.split(options)) == expected


@pytest.mark.parametrize("lane", sorted(file.stem for file in (ROOT / "lanes").iterdir()))
def test_a_lane_selects_what_its_name_says(lane: str) -> None:
    assert selected("--argumentfile", str(ROOT / "lanes" / f"{lane}.args")) == planned(LANES[lane])


def test_each_lane_is_a_profile_of_robotcode_and_selects_the_same() -> None:
    for lane in LANES:
        profile = robot_toml()["profiles"][lane]
        options = [(f"--{kind[:-1]}", value) for kind in ("includes", "excludes") for value in profile.get(kind, [])]
        lines = (ROOT / "lanes" / f"{lane}.args").read_text(encoding="utf-8").splitlines()
        given = [tuple(line.split(maxsplit=1)) for line in lines if line.startswith(("--include", "--exclude"))]
        assert options == given


def test_each_profile_of_a_cluster_is_a_profile_of_robotcode() -> None:
    settings = robot_toml()
    files = [file for profile in settings["profiles"].values() for file in profile.get("variable-files", [])]
    assert set(files) == {f"variables/profiles/{file.name}" for file in (ROOT / "variables/profiles").iterdir()}
    for path in (*settings["paths"], *settings["python-path"]):
        assert (ROOT / path).is_dir(), path


@pytest.mark.parametrize("name", ["embedded", "embedded-openshift"])
def test_the_wrapper_of_an_embedded_profile_starts_what_it_says(name: str) -> None:
    told = subprocess.run(
        [*robot_toml()["profiles"][name]["wrapper"], "kubectl", "api-versions"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert ("config.openshift.io/v1" in told.stdout.split()) == (name == "embedded-openshift")


def planned(selects: Callable[[PlannedTest, Scenario], bool]) -> list[tuple[str, str]]:
    """Scenario and name of the tests that a selection is to run, sorted."""
    plan = load_plan()
    return sorted(
        (test.metadata["Scenario"], test.name)
        for test in read_tests()
        if (scenario := plan.scenario(test.metadata["Scenario"])) and selects(test, scenario)
    )


def selected(*options: str) -> list[tuple[str, str]]:
    """The same of those that Robot selects with these options."""
    given, paths = RobotFramework().parse_arguments([*options, str(ROOT / "suites")])
    suite = TestSuite.from_file_system(*paths)
    suite.configure(**RobotSettings(given).suite_config)
    return sorted((next(tag for tag in test.tags if SCENARIO.fullmatch(tag)), test.name) for test in suite.all_tests)


def robot_toml() -> dict[str, Any]:
    return tomllib.loads((ROOT / "robot.toml").read_text(encoding="utf-8"))
