# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a suite is found before it runs, also in keywords that are given to others as arguments.

That sound suites are accepted is for the stages of ./test.sh to say, which look so at all that there are.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT

Check = Callable[[str, Path], subprocess.CompletedProcess[str]]

WRONG = """\
*** Settings ***
Library    KubeVirtLibrary

*** Test Cases ***
Checks
    Record Check    moved    NIC Change Should Have Completed    vm    nic=secondary    within=5 min
    Recorded Check Should Pass    moved
    Recorded Check Shuld Pass    moved
    Record Check    still moved    NIC Change Shuld Have Completed    vm    nic=secondary    within=5 min
    Recorded Check Should Pass    moved    twice
"""
MISTAKES = (
    "No keyword with name 'Recorded Check Shuld Pass' found.",
    "No keyword with name 'NIC Change Shuld Have Completed' found.",
    "Keyword 'KubeVirtLibrary.Recorded Check Should Pass' expected 1 argument, got 2.",
)


def analyzed(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "robot.toml", folder)
    (folder / "libraries").symlink_to(ROOT / "libraries")
    (folder / "suites").mkdir()
    (folder / "suites" / "checks.robot").write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).parent / "robotcode"), "--no-color", "analyze", "code", "suites"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)


def dry_run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    suite = folder / "checks.robot"
    suite.write_text(text, encoding="utf-8")
    nothing = [word for kind in ("output", "log", "report") for word in (f"--{kind}", "NONE")]
    command = [sys.executable, "-m", "robot", "--dryrun", *nothing, "--pythonpath", "libraries", str(suite)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.parametrize("check", [analyzed, dry_run])
def test_mistakes_are_found(check: Check, tmp_path: Path) -> None:
    done = check(WRONG, tmp_path)
    assert done.returncode != 0
    assert [mistake for mistake in MISTAKES if mistake not in done.stdout] == []
