# SPDX-License-Identifier: Apache-2.0
"""e. What a run of P0 with its one swap asks of the API server, and what it takes on the runner's machine."""

from __future__ import annotations

import time
from collections import defaultdict

from tests.benchmarks.audit import asked, lines
from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import PROFILE, PYTHON, Lab, RobotRun, listener, run_checked
from tests.benchmarks.own_time import FILE
from tests.benchmarks.relay import counted

UNITS = {
    "API requests": "",
    "- watches opened": "",
    "- consoles and port-forwards opened": "",
    "- that write": "",
    "connections opened": "",
    "bytes sent": "kB",
    "bytes received": "kB",
    "watches open at the end": "",
    "threads of the robot process at the end": "",
    "memory of the robot process, highest": "MiB",
    "CPU time of the robot process": "s",
    "log.html": "kB",
    "log.html and report.html, time to write": "s",
}
_WRITES = ("create", "update", "patch", "delete", "deletecollection")


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """One run a value, each on a cluster of its own."""
    values: dict[str, list[float]] = defaultdict(list)
    for _ in range(lab.count(3)):
        audit_log = lab.new_folder("audit") / "audit.jsonl"
        with (
            lab.cluster("--audit-log", str(audit_log)) as kubeconfig,
            counted(kubeconfig, audit_log.parent) as (relayed, bytes_),
        ):
            before = lines(audit_log)
            run = lab.robot(relayed, "p0", "--include", "p0", "--variablefile", str(PROFILE), *listener("own_time"))
            seen, told = asked(audit_log, before), run.measured(FILE)
        one = (
            seen.requests,
            seen.watches,
            seen.streams,
            sum(seen.verbs[verb] for verb in _WRITES),
            bytes_.connections,
            bytes_.sent / 1000,
            bytes_.received / 1000,
            told["watches"],
            told["threads"],
            told["peak_mib"],
            told["cpu"],
            (run.folder / "log.html").stat().st_size / 1000,
            _rebot(run),
        )
        for name, value in zip(UNITS, one, strict=True):
            values[name].append(float(value))
    return [figure("e", name, unit, values[name]) for name, unit in UNITS.items()], []


def _rebot(run: RobotRun) -> float:
    start = time.monotonic()
    output = run.folder / "rebot"
    run_checked([PYTHON, "-m", "robot.rebot", "--outputdir", str(output), str(run.folder / "output.xml")])
    return time.monotonic() - start
