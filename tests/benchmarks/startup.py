# SPDX-License-Identifier: Apache-2.0
"""g. How long it takes until anything happens."""

from __future__ import annotations

import os
import time

from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import PYTHON, Lab, run_checked
from tests.embedded import ROOT

LIBRARIES = str(ROOT / "libraries")
PATHS = ("--pythonpath", LIBRARIES)
COMMANDS = {
    "python, doing nothing": [PYTHON, "-c", "pass"],
    "import of both libraries": [PYTHON, "-c", "import KubeVirtLibrary, GuestLibrary"],
    "dry run of all suites": [
        PYTHON,
        "-m",
        "robot",
        "--dryrun",
        "--output",
        "NONE",
        "--log",
        "NONE",
        "--report",
        "NONE",
        *PATHS,
        "suites",
    ],
    "libdoc of KubeVirtLibrary": [PYTHON, "-m", "robot.libdoc", *PATHS, "KubeVirtLibrary", "list"],
}


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Wall times of whole processes; and of a run up to its first keyword that has met the cluster."""
    env = {**os.environ, "PYTHONPATH": LIBRARIES}
    figures = []
    for name, command in COMMANDS.items():
        seconds = []
        for _ in range(lab.count(10)):
            start = time.monotonic()
            run_checked(command, env=env)
            seconds.append(time.monotonic() - start)
        figures.append(figure("g", name, "s", seconds))
    with lab.cluster() as kubeconfig:
        runs = [lab.robot(kubeconfig, "preflight", "--include", "nad-25") for _ in range(lab.count(5))]
    figures.append(figure("g", "preflight suite, from robot's start to its reports", "s", (run.wall for run in runs)))
    return figures, []
