# SPDX-License-Identifier: Apache-2.0
"""One run that all tests here look at: everything is logged, one test is red."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from robot.run import run as run_robot

from tests.browser.webdriver import Browser, browser, missing
from tests.embedded import ROOT, embedded_command

DEFECT = "guest-rebooted-vmi-stays"


@dataclass(frozen=True)
class SeenRun:
    """Where its files are, what it printed, and its secrets."""

    folder: Path
    printed: str
    secrets: list[str]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> SeenRun:
    """nad-01 with a defect, and VM owners, by the same script as run.sh, at the most talkative level."""
    state = tmp_path_factory.mktemp("state")
    secrets = state / "secrets"
    options = (
        *("--suite", "linux_bridge_vlan_change", "--suite", "vm_owner_limits"),
        "--loglevel",
        "TRACE",
        "--listener",
        f"{__package__}.listener.SecretsListener:{secrets}",
    )
    command = [*embedded_command("--defect", DEFECT), sys.executable, str(ROOT / "scripts/run_suites.py")]
    command += ["--state", str(state), "--embedded", "--", "--variable", "SWAP_TIMEOUT:30s", *options]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, cwd=ROOT, env=env)
    assert (state / "results").is_dir(), done.stdout + done.stderr
    (folder,) = [path for path in (state / "results").iterdir() if not path.is_symlink()]
    told = secrets.read_text(encoding="utf-8").splitlines()
    return SeenRun(folder, done.stdout + done.stderr, [line.replace("\\n", "\n") for line in told])


@pytest.fixture(scope="session")
def run_suite_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result file of one test."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "a.robot").write_text("*** Test Cases ***\nA\n    No Operation\n", encoding="utf-8")
    run_robot(str(folder / "a.robot"), outputdir=str(folder), log=None, report=None, console="none")
    return folder / "output.xml"


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, or a skip that says what to install."""
    if lacking := missing():
        pytest.skip(f"no browser to look with: apt-get install {lacking.replace(',', '')}")
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found
