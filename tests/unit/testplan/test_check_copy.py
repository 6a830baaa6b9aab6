# SPDX-License-Identifier: Apache-2.0
"""``testplan check`` on a copy of the project's own plan and suites, spoiled at one place: the culprit is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from testplan.__main__ import main
from testplan.plan import PLAN
from testplan.suites import SUITES

Check = Callable[..., tuple[int, str]]
P0 = "suites/p0/linux_bridge_vlan_change.robot"
THERE_AND_BACK = "suites/p2/there_and_back.robot"


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Replaces a pattern once in one file of a copy, or removes the file, and runs the command: code and stderr."""
    shutil.copy(PLAN, tmp_path / "plan.yaml")
    shutil.copytree(SUITES, tmp_path / "suites")
    (tmp_path / "resources").symlink_to(SUITES.parent / "resources")

    def run(file: str = "", pattern: str = "", new: str | None = None) -> tuple[int, str]:
        path = tmp_path / file
        if new is not None:
            text, found = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
            assert found, f"{file} has no {pattern}"
            path.write_text(text, encoding="utf-8")
        elif file:
            path.unlink()
        code = main(["check", "--plan", str(tmp_path / "plan.yaml"), "--suites", str(tmp_path / "suites")])
        return code, capsys.readouterr().err

    return run


def test_the_copy_is_sound(check: Check) -> None:
    assert check() == (0, "")


@pytest.mark.parametrize(
    ("pattern", "new", "culprits"),
    [
        (r"requirements: \[R38\]", "requirements: [R41]", ["R38 is covered by no automated scenario"]),
        (r"requirements: \[R38\]", "requirements: [R38, R99]", ["scenario nad-05 names requirement R99"]),
        (r"external: \[VEP-140\]", "external: [VEP-140, CNV-1]", ["names external id CNV-1"]),
        (r"needs: \[live-update,", "needs: [live-upgrade,", ["scenario nad-01 needs capability live-upgrade"]),
        (
            r"needs: \[live-update, automatic-migration, second-bridge\]",
            "needs: [live-update, automatic-migration]",
            ["another_bridge.robot: asks for capability second-bridge, which the plan's nad-09 does not need"],
        ),
        (
            r"needs: \[live-update, automatic-migration\]",
            "needs: [live-update]",
            ["linux_bridge_vlan_change.robot: asks for capability automatic-migration, which the plan's nad-01"],
        ),
        (r"- id: nad-05", "- id: nad-95", ["scenario nad-05 is not in the plan", "scenario nad-95 is automated, but"]),
        (
            r"external: \[VEP-140, CNV-15946\]",
            "external: [VEP-140, CNV-15945]",
            ["external id CNV-15945 is of one test case, but belongs to several scenarios: nad-01, nad-08"],
        ),
        (r"^  - \{id: CNV-15972, .*\n.*$", r"\g<0>\n\g<0>", ["external id CNV-15972 is there twice"]),
        (
            r"^    status: waived\n    note: .*$",
            "    status: waived",
            ["requirements R14: 'note' is a required property"],
        ),
        (r"^(    status: waived\n    note:) .*$", r'\1 "   "', ["requirements R14 note: '   ' does not match"]),
    ],
    ids=[
        *("uncovered row", "unknown row", "unknown external id", "unknown capability"),
        *("capability asked for by a suite", "capability asked for by a resource", "unknown scenario"),
        *("external id of two scenarios", "external id twice", "waiver without reason", "waiver with a blank reason"),
    ],
)
def test_a_spoiled_plan(check: Check, pattern: str, new: str, culprits: list[str]) -> None:
    code, errors = check("plan.yaml", pattern, new)
    assert code == 1
    for culprit in culprits:
        assert culprit in errors


@pytest.mark.parametrize(
    ("file", "pattern", "new", "culprit"),
    [
        (P0, r"^(Test Tags +)p0 ", r"\1p1 ", "tags of kind pN are ['p1'], the plan says p0 for nad-01"),
        (P0, r"^(Test Tags +)p0 +", r"\1", "tags of kind pN are missing, the plan says p0 for nad-01"),
        (P0, r"^(Test Tags .*)vep-140 +", r"\1", "tag vep-140 is missing, the plan says VEP-140 for nad-01"),
        (P0, r"^    \[Tags\]    r1 +", "    [Tags]    ", "tag r1 is missing, as it carries requirement R1"),
        (P0, r"    cnv-15945$", "", ""),
        (P0, r"    cnv-15945$", "    cnv-15946", "external id CNV-15946 (tag cnv-15946) is not one of scenario nad-01"),
        (THERE_AND_BACK, r"nad-05    r38", "nad-96    r38", "scenario nad-96 is not in the plan"),
        (THERE_AND_BACK, r"nad-05    r38", "r38", "has 0 scenario tags (nad-NN), needs one"),
        (THERE_AND_BACK, "", None, "scenario nad-05 is automated, but no test carries its tag"),
    ],
    ids=[
        *("wrong priority", "no priority", "no proposal", "no row", "one test fewer of an external id"),
        *("foreign external id", "tests of an unknown scenario", "tests of no scenario", "scenario without tests"),
    ],
)
def test_spoiled_suites(check: Check, file: str, pattern: str, new: str | None, culprit: str) -> None:
    code, errors = check(file, pattern, new)
    assert code == (1 if culprit else 0), errors
    assert culprit in errors
    if new is not None and culprit:
        assert f"{Path(file).name}:" in errors
