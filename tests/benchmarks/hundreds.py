# SPDX-License-Identifier: Apache-2.0
"""i. As many VMs as `count` of a keyword can be.

As in f, on a cluster of ten nodes that starts a guest when a client talks to it: that is the random 20 VMs that are
probed. The swap of the slowest VM is bound by the cluster, which migrates five at a time.
"""

from __future__ import annotations

from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import Lab
from tests.benchmarks.scale import cost_of

SIZES = (200, 500)
CLUSTER = ("--lazy-guests", "--nodes", "10")


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """One run a size."""
    few, many = (lab.count(size) for size in SIZES)
    costs = {size: cost_of(lab, size, options=CLUSTER) for size in (few, many)}
    figures = [
        figure("i", f"{size} VMs: {name}", unit, [value])
        for size, found in costs.items()
        for (name, unit), value in found.items()
    ]
    name = "CPU time a VM", "s"
    return figures, [
        Ratio(f"CPU time a VM at {many} VMs to that at {few}", costs[many][name] / costs[few][name], "lower")
    ]
