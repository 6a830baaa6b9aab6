# SPDX-License-Identifier: Apache-2.0
"""f. What a VM costs among many, beside a namespace full of other things, and what a second process is worth.

All VMs of a suite change their network in parallel (scenario nad-26); the cluster migrates five at a time at most.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from livenad.api.client import Cluster
from livenad.api.connection import open_connection

from tests.benchmarks.audit import asked, lines
from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import Lab, listener, run_checked, variables
from tests.benchmarks.own_time import FILE
from tests.embedded import ROOT

SIZES = (1, 5, 10, 25, 50)
CROWD = 10_000
PATIENT = {"BOOT_TIMEOUT": "20 min", "SWAP_TIMEOUT": "30 min"}


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """One run a size."""
    figures: list[Figure] = []
    sizes = [size for size in SIZES if size <= max(5, SIZES[-1] * lab.scale)]
    costs = {size: cost_of(lab, size) for size in sizes}
    costs_beside = cost_of(lab, 5, round(CROWD * min(1.0, lab.scale)))
    for size, found in [
        *((f"{size} VMs", found) for size, found in costs.items()),
        ("5 VMs beside the crowd", costs_beside),
    ]:
        figures += [figure("f", f"{size}: {name}", unit, [value]) for (name, unit), value in found.items()]
    ratios = [
        Ratio(f"{name} at {sizes[-1]} VMs to that at 5", costs[sizes[-1]][name, unit] / costs[5][name, unit], "lower")
        for name, unit in (("requests a VM", ""), ("CPU time a VM", "s"))
    ]
    alone, beside = (found["CPU time a VM", "s"] for found in (costs[5], costs_beside))
    ratios.append(Ratio("CPU time a VM beside a crowd to that without", beside / alone, "lower"))
    if lab.scale >= 1:
        one, two = _whole(1), _whole(2)
        figures += [
            figure("f", "all suites, one process", "s", [one]),
            figure("f", "all suites, two processes", "s", [two]),
        ]
        ratios.append(Ratio("all suites: two processes to one", two / one, "lower"))
    return figures, ratios


def cost_of(lab: Lab, size: int, crowd: int = 0, options: Sequence[str] = ()) -> dict[tuple[str, str], float]:
    """Costs by (name, unit) of one run of nad-26 on a cluster with these ``options``."""
    log = lab.new_folder(f"audit-{size}") / "audit.jsonl"
    spent = _cpu_of_children()
    with lab.cluster("--audit-log", str(log), *options) as kubeconfig:
        if crowd:
            _gather(kubeconfig, crowd)
        before = lines(log)
        given = variables({"MANY_VMS": size, **PATIENT})
        run = lab.robot(kubeconfig, f"many-{size}", "--include", "nad-26", *given, *listener("own_time"))
        requests = asked(log, before).requests
    told = run.measured(FILE)
    return {
        ("requests a VM", ""): requests / size,
        ("CPU time a VM", "s"): told["cpu"] / size,
        ("CPU time a VM of the embedded cluster", "s"): (_cpu_of_children() - spent - told["cpu"]) / size,
        ("swap, slowest VM", "s"): max(told["swaps"]),
        ("memory of the robot process, highest", "MiB"): told["peak_mib"],
        ("states recorded", ""): told["records"],
        ("log.html", "kB"): (run.folder / "log.html").stat().st_size / 1000,
    }


def _cpu_of_children() -> float:
    """Seconds of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _gather(kubeconfig: Path, count: int) -> None:
    """Create ``count`` ConfigMaps in a namespace that belongs to no run."""
    cluster = Cluster(open_connection(str(kubeconfig), ""))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "crowd"}}
    cluster.request("POST", "/api/v1/namespaces", body=namespace)

    def add(number: int) -> None:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"one-of-many-{number}"}}
        cluster.request("POST", "/api/v1/namespaces/crowd/configmaps", body=body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(count)))
    cluster.close()


def _whole(processes: int) -> float:
    """Seconds of ``run.sh`` with all suites, the cluster's start and end included."""
    start = time.monotonic()
    run_checked([str(ROOT / "run.sh"), "--processes", str(processes)])
    return time.monotonic() - start
