# SPDX-License-Identifier: Apache-2.0
"""h. What the harness takes for hundreds of VMs and a thousand nodes, without a cluster.

A recorded swap arrives once for each VM, at 2,000 states a second; `Wait Until VMs Are Ready` and `NIC Change Should
Have Completed` wait for all of them. CPU time counts, so that other load disturbs little. *Before* is the same on the
commit before waits were woken by the records of their VMs. The latency is from a server's commit of a state to the
return of the wait for it, while 200 states a second of 500 other VMs stream past; of three series the one that other
load disturbed least.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.history import History
from livenad.api.kinds import VMI, Object, dig
from livenad.api.recorder import Recorder
from livenad.cluster.environment import Lab as ClusterLab
from livenad.cluster.facts import read_facts, read_version
from livenad.cluster.preflight import Preflight
from livenad.settings import Settings

from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import PYTHON, BenchmarkError, Lab
from tests.benchmarks.streaming import EACH, WATCHED
from tests.embedded import ROOT
from tests.unit.cluster.test_large_cluster import large_cluster
from tests.unit.support.kubeconfig import write_kubeconfig

SIZES = (25, 50, 250, 500)
BEFORE = "95a8c5f"
OWN = Path("tests/benchmarks/replayed_vms.py")
_MOST_BEFORE = 250
VMS, EVENTS_A_SECOND = 500, 200


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Each size in a process of its own, now and before; waits; preflight."""
    sizes = [size for size in SIZES if size <= max(50, SIZES[-1] * lab.scale)]
    now = {size: _replay(ROOT, size) for size in sizes}
    with lab.project_at(BEFORE, OWN) as former:
        before = {size: _replay(former, size) for size in sizes if size <= _MOST_BEFORE} if former else {}
    latencies = _least_disturbed(lab)
    figures = [
        *(_of_replay(f"{size} VMs", found) for size, found in now.items()),
        *(_of_replay(f"{size} VMs before", found) for size, found in before.items()),
    ]
    found = [one for several in figures for one in several]
    found += [
        wait := figure("h", f"wait, {VMS} VMs and {EVENTS_A_SECOND} states a second", "ms", latencies),
        figure("h", "preflight of 1,000 nodes beside 10,000 pods: CPU time", "s", [_preflight()]),
    ]
    ratios = [Ratio("median wait among 500 VMs to a limit of 10 ms", wait.median / 10, "lower")]
    if sizes[-1] == SIZES[-1]:
        ratios.append(Ratio("CPU time of the VMs from 250 to 500 to those from 25 to 50", _marginal(now), "lower"))
    if before:
        last = max(before)
        ratios += [
            Ratio(f"CPU time for {last} VMs to that before", now[last]["cpu"] / before[last]["cpu"], "lower"),
            Ratio(f"memory for {last} VMs to that before", now[last]["memory"] / before[last]["memory"], "lower"),
        ]
    return found, ratios


def _of_replay(title: str, found: dict[str, float]) -> list[Figure]:
    return [
        figure("h", f"{title}: CPU time", "s", [found["cpu"]]),
        figure("h", f"{title}: memory of the process, highest", "MiB", [found["memory"]]),
    ]


def _marginal(found: dict[int, dict[str, float]]) -> float:
    def a_vm(few: int, many: int) -> float:
        return (found[many]["cpu"] - found[few]["cpu"]) / (many - few)

    return a_vm(250, 500) / a_vm(25, 50)


def _replay(root: Path, size: int) -> dict[str, float]:
    command = [PYTHON, "-m", "tests.benchmarks.replayed_vms", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env={**os.environ})
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _least_disturbed(lab: Lab) -> list[float]:
    series = [sorted(_latencies(lab, lab.count(100))) for _ in range(3)]
    return min(series, key=lambda one: one[int(len(one) * 0.99) - 1])


def _latencies(lab: Lab, count: int) -> list[float]:
    """Milliseconds from the commit to the return of the wait."""
    command = [sys.executable, "-m", "tests.benchmarks.streaming", str(VMS), str(EVENTS_A_SECOND)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}"
            cluster = Cluster(open_connection(str(write_kubeconfig(lab.new_folder("wait") / "kubeconfig", url))))
            recorder = Recorder(cluster, "demo", kinds=(VMI,), watch_seconds=3600)
            recorder.start()
            try:
                first = _count(recorder.history) + 1
                return [_one(recorder, number) for number in range(first, first + count)]
            finally:
                recorder.stop()
                cluster.close()
        finally:
            server.stdin.close()


def _one(recorder: Recorder, number: int) -> float:
    def committed(history: History) -> float | None:
        for record in reversed(history.records(VMI, WATCHED)):
            if dig(record.object, "status", "count") == number:
                return float(dig(record.object, "status", "committed"))
        return None

    within = 10 + 2 * EACH / EVENTS_A_SECOND
    at = recorder.wait_for(committed, within, "a state", lambda: "not yet", vms={WATCHED})
    if at is None:
        raise BenchmarkError(f"state {number} of {WATCHED} did not come within {within:g} s")
    return (time.monotonic() - at) * 1000


def _count(history: History) -> int:
    vmi: Object = history.current(VMI, WATCHED) or {}
    return int(dig(vmi, "status", "count", default=0))


def _preflight() -> float:
    cluster = large_cluster()
    began = time.process_time()
    lab = ClusterLab(cluster, read_facts(cluster, read_version(cluster)), Settings())
    Preflight(lambda: lab).require_fit()
    return time.process_time() - began
