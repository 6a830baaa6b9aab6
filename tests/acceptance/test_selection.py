"""What the README says that a selection runs is what Robot runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from testplan.plan import Scenario, load_plan
from testplan.results import read_results
from testplan.suites import PlannedTest, read_tests

from .conftest import ROOT

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


def readme_rows() -> list[str]:
    return ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def test_every_row_of_the_readme_is_tried() -> None:
    assert sorted(readme_rows()) == sorted(SELECTS)


@pytest.mark.parametrize("options", readme_rows())
def test_a_row_of_the_readme_selects_what_it_says(options: str, tmp_path: Path) -> None:
    plan = load_plan()
    expected = [
        (test.metadata["Scenario"], test.name)
        for test in read_tests()
        if (scenario := plan.scenario(test.metadata["Scenario"])) and SELECTS[options](test, scenario)
    ]
    dry = subprocess.run(
        [
            *(sys.executable, "-m", "robot", "--dryrun", "--pythonpath", str(ROOT / "libraries")),
            *("--outputdir", str(tmp_path), "--log", "NONE", "--report", "NONE", "--runemptysuite"),
            *(*shlex.split(options), str(ROOT / "suites")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert dry.returncode == 0, dry.stdout + dry.stderr
    selected = [(outcome.scenario, outcome.name) for outcome in read_results(tmp_path / "output.xml").outcomes]
    assert expected, "the row selects nothing"
    assert sorted(selected) == sorted(expected)
