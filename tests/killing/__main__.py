# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.killing``: many runs, killed at random moments. See ``--help``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.killing.lanes import FOREIGN, LANES, Lane, site
from tests.killing.victims import Death, Run, deaths

DESCRIPTION = (
    "Kills runs at random moments, on several embedded clusters, cleans up after them, and compares each cluster, "
    "object by object, with what it was before."
)
SHARES = {"shared": 20, "nmstate": 10, "settings": 10, "settings of a HyperConverged": 10}
"""The number of kills in each lane, of 50 in all."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: all that was killed is cleaned and restored, and nothing else was touched; 1: not so."""
    parser = argparse.ArgumentParser(prog="python -m tests.killing", description=DESCRIPTION)
    parser.add_argument("--kills", type=int, default=50, help="number of runs that are killed (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and signals (%(default)s)")
    parser.add_argument("--clusters", type=int, default=2, help="number of clusters in parallel (%(default)s)")
    parser.add_argument("--lane", action="append", choices=sorted(SHARES), help="only this; may be repeated")
    parser.add_argument("--folder", type=Path, help="where results are kept; default: a new one below /tmp")
    arguments = parser.parse_args(argv)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="killing-"))
    lanes = [lane for lane in LANES if not arguments.lane or lane.name in arguments.lane]
    print(f"{arguments.kills} runs are killed, seed {arguments.seed}; results: {folder}", flush=True)
    began = time.monotonic()
    plan = list(zip(lanes, _split(deaths(arguments.seed), lanes, arguments.kills), strict=True))
    with ThreadPoolExecutor(arguments.clusters) as pool:
        outcomes = list(
            pool.map(lambda part: run_lane(part[0], part[1], folder / part[0].name.replace(" ", "-")), plan)
        )
    victims = [victim for killed, _ in outcomes for victim in killed]
    problems = [line for _, lines in outcomes for line in lines]
    clean = [victim for victim in victims if not victim.left]
    for line in problems:
        print(f"PROBLEM {line}")
    print(
        f"{len(clean)} of {len(victims)} killed runs cleaned and restored in {time.monotonic() - began:.0f} s; "
        f"{len(problems)} problems; {FOREIGN} foreign objects on each of {len(lanes)} clusters"
    )
    return 1 if problems or len(clean) < len(victims) else 0


_printing = threading.Lock()


def _say(line: str) -> None:
    with _printing:
        print(line, flush=True)


def run_lane(lane: Lane, chosen: Sequence[Death], folder: Path, foreign: int = FOREIGN) -> tuple[list[Run], list[str]]:
    """The runs that were killed on one cluster, and what went wrong besides what they left."""
    victims: list[Run] = []
    with site(lane, folder, foreign) as place:
        for turn, start in enumerate(range(0, len(chosen), lane.at_once)):
            victims += place.round(turn, chosen[start : start + lane.at_once], _say)
        return victims, place.finish()


def _split(chosen: list[Death], lanes: Sequence[Lane], kills: int) -> list[list[Death]]:
    whole = sum(SHARES[lane.name] for lane in lanes)
    sizes = [kills * SHARES[lane.name] // whole for lane in lanes]
    sizes[0] += kills - sum(sizes)
    parts = []
    for size in sizes:
        parts.append(chosen[:size])
        chosen = chosen[size:]
    return parts


if __name__ == "__main__":
    sys.exit(main())
