# SPDX-License-Identifier: Apache-2.0
"""Embedded clusters and robot runs as children, for tests that look at a whole run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.cluster_process import parent_death
from testplan.__main__ import judge_run
from testplan.gate import Judgement
from testplan.results import Outcome, Results
from tests.forked import run_forked

ROOT = Path(__file__).resolve().parents[1]
SUITES = ROOT / "suites"


@dataclass(frozen=True)
class RobotRun:
    """A finished run: what the gate says of it, what it printed, and where its files are."""

    judgement: Judgement
    results: Results | None
    printed: str
    folder: Path

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """By test name. An AssertionError shows what was printed when there is no result file."""
        assert self.results is not None, self.printed
        return {outcome.name: outcome for outcome in self.results.outcomes}


def robot_command(folder: Path, *options: str, suites: Path = SUITES) -> list[str]:
    """Robot as a child, with its results in ``folder``."""
    libraries = str(ROOT / "libraries")
    return [
        *(sys.executable, "-m", "robot", "--outputdir", str(folder), "--pythonpath", libraries, "--console", "quiet"),
        *options,
        str(suites),
    ]


def embedded_command(*options: str) -> list[str]:
    """``emulator exec`` up to the command that it is to run."""
    return [sys.executable, "-m", "emulator", "exec", *options, "--"]


def run_robot(
    folder: Path,
    *options: str,
    cluster: Sequence[str] | None = None,
    suites: Path = SUITES,
    env: dict[str, str] | None = None,
    timeout: float = 180,
) -> RobotRun:
    """Runs suites to their end; ``cluster``: on an embedded one of their own, with these options."""
    environment = {**os.environ, **(env or {})}
    command = robot_command(folder, *options, suites=suites)
    if cluster is None:
        finished = run_forked("robot", command[3:], folder=ROOT, env=environment, timeout=timeout, in_one=True)
    else:
        finished = subprocess.run(
            [*embedded_command(*cluster), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout,
            cwd=ROOT,
            env=environment,
        )
    judgement, results = judge_run(folder / "output.xml")
    return RobotRun(judgement, results, finished.stdout, folder)


@contextmanager
def embedded_cluster(folder: Path, *options: str) -> Iterator[Path]:
    """A cluster that is up; gives its kubeconfig. It ends with the thread that has it, even a killed one."""
    kubeconfig = folder / "kubeconfig"
    tied = [sys.executable, parent_death.__file__, str(os.getpid()), str(int(signal.SIGTERM))]
    command = [*tied, sys.executable, "-m", "emulator", "up", "--kubeconfig-out", str(kubeconfig), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline(), "the embedded cluster did not start"
            yield kubeconfig
        finally:
            process.terminate()
            process.communicate(timeout=60)
