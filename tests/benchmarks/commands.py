# SPDX-License-Identifier: Apache-2.0
# SPDX-License-Identifier: Apache-2.0
# SPDX-License-Identifier: Apache-2.0
"""c. A command in a guest: over the standing sessions, the peers' way, and as it was before.

*Before* is the project at the commit before sessions could no longer be held by a silent peer. Both versions take turns
of 20 commands on the same cluster, each on a guest of its own; a ratio is the median of those of all pairs of turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from itertools import chain
from pathlib import Path

from tests.benchmarks.figures import Figure, Ratio, figure, ratio
from tests.benchmarks.lab import OWN_SUITES, BenchmarkError, Lab, robot_command, variables
from tests.embedded import ROOT

BEFORE = "34c8c6b"
_SUITE = Path("tests/benchmarks/suites/round_trips.robot")
_NAMES = {"ssh": "SSH", "console": "console"}


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Round trips of ``echo``."""
    given = variables({"COUNT": lab.count(200), "PEERS_COUNT": lab.count(30)})
    with lab.cluster() as kubeconfig:
        measured = lab.robot(kubeconfig, "commands", *given, suites=OWN_SUITES / "commands.robot").measured()
    ssh, ssh_peer, console_peer, console = figures = [
        figure("c", name, "ms", (value * 1000 for value in seconds)) for name, seconds in measured.items()
    ]
    more, shares = _before_and_now(lab)
    return figures + more, [
        ratio("SSH: the peers' command to ours", ssh_peer, ssh, better="higher"),
        ratio("console: the peers' command to ours", console_peer, console, better="higher"),
        *shares,
    ]


def _before_and_now(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    figures: list[Figure] = []
    ratios: list[Ratio] = []
    with lab.project_at(BEFORE, _SUITE, _SUITE.with_name("RoundTrips.py")) as former:
        if former is None:
            return [], []
        now, before = _in_turns(lab, ROOT, former)
    for via, name in _NAMES.items():
        for when, series in ((", in turns", now[via]), (", in turns, before", before[via])):
            figures.append(figure("c", f"over {via}{when}", "ms", (1000 * one for one in chain(*series))))
        pairs = [statistics.median(a) / statistics.median(b) for a, b in zip(now[via], before[via], strict=True)]
        ratios.append(Ratio(f"{name}: a round trip to that before", statistics.median(pairs), "lower"))
    return figures, ratios


def _in_turns(lab: Lab, *projects: Path) -> list[dict[str, list[list[float]]]]:
    """Of each project, by the way into the guest, the seconds of its turns."""
    folder = lab.new_folder("turns")
    pipes = [folder / "first", folder / "second"]
    for pipe in pipes:
        os.mkfifo(pipe)
    turn = os.open(pipes[0], os.O_RDWR)
    with lab.cluster() as kubeconfig:
        runs = []
        for number, project in enumerate(projects):
            given = {"MINE": pipes[number], "THEIRS": pipes[1 - number], "SERIES": lab.count(40)}
            results = folder / f"results-{number}"
            command = robot_command(project, results, *variables(given), str(project / _SUITE))
            runs.append((results, _start(command, project, kubeconfig)))
        os.write(turn, b"\n")
        for results, run in runs:
            printed, _ = run.communicate()
            if run.returncode:
                raise BenchmarkError(f"{results} ended with {run.returncode}: {printed[-2000:]}")
    os.close(turn)
    return [json.loads((results / "series.json").read_text(encoding="utf-8")) for results, _ in runs]


def _start(command: list[str], project: Path, kubeconfig: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
