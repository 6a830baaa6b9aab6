# SPDX-License-Identifier: Apache-2.0
"""d. How long a verdict takes that can be trusted, and how many are false, on networks that lose frames.

Some of the frames to the VM on its new network are dropped. The benchmark repeats six verdicts: silent to the old peer,
not silent to the new one, the new one reached (three times), the old one not reached. It counts wrong verdicts, and
separately those that the library itself calls undecided.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks.figures import Figure, Ratio, figure
from tests.benchmarks.lab import OWN_SUITES, Lab, variables

LOSSES: dict[str, tuple[str, ...]] = {
    "no loss": (),
    "10 % lost": ("--defect", "new-network-loses-few-frames"),
    "30 % lost": ("--defect", "new-network-loses-frames"),
}
VERDICTS_EACH_TIME = 6
WANTED = {"no loss": 100, "10 % lost": 100, "30 % lost": 1000}
SIDE_BY_SIDE = 2


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Two clusters in parallel for each loss."""
    figures: list[Figure] = []
    for loss, options in LOSSES.items():
        times = math.ceil(WANTED[loss] * lab.scale / VERDICTS_EACH_TIME / SIDE_BY_SIDE)
        links = lab.count(10) if not options else 0
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            told = list(pool.map(lambda _: _run(lab, options, times, links), range(SIDE_BY_SIDE)))  # noqa: B023
        for name in told[0]["seconds"]:
            seconds = [value for one in told for value in one["seconds"][name]]
            if seconds:
                unit = f"{'silent, beyond the window asked for' if name == 'silent' else name}, {loss}"
                figures.append(figure("d", unit, "s", seconds))
        for name, title in (("asked", "verdicts"), ("wrong", "- false ones"), ("undecided", "- undecided ones")):
            figures.append(figure("d", f"{title}, {loss}", "", [sum(one[name] for one in told)]))
    return figures, []


def _run(lab: Lab, options: tuple[str, ...], times: int, links: int) -> dict[str, Any]:
    with lab.cluster(*options) as kubeconfig:
        given = variables({"TIMES": times, "LINKS": links})
        run = lab.robot(kubeconfig, "verdicts", *given, suites=OWN_SUITES / "verdicts.robot")
    measured: dict[str, Any] = run.measured()
    return measured
