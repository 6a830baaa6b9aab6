# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.browser``: seeds each defect of causes.yaml, and looks whether the cause is told at once."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.browser.causes import Cause, load_causes, untold
from tests.browser.looking import flaws, opens_in
from tests.browser.webdriver import browser, missing
from tests.detection.table import VARIABLES
from tests.embedded import RobotRun, run_robot


def run_with(cause: Cause, folder: Path) -> RobotRun:
    """The suite on a cluster that has the defect."""
    options = [word for name, value in VARIABLES.items() for word in ("--variable", f"{name}:{value}")]
    return run_robot(folder, *options, "--suite", cause.suite, cluster=("--defect", cause.defect), timeout=240)


def main() -> int:
    """0: every cause is told; 1: not so."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description=__doc__)
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="number of clusters in parallel (2)")
    parser.add_argument("--only", action="append", metavar="DEFECT", help="this one only; may be repeated")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the runs leave their results")
    parser.add_argument("--look", type=Path, metavar="RESULTS", help="only look at the pages of these results")
    arguments = parser.parse_args()
    if lacking := missing():
        print(f"error: no browser to look with: apt-get install {lacking.replace(',', '')}", file=sys.stderr)
        return 64
    if arguments.look:
        return _look(arguments.look)
    causes = [cause for cause in load_causes() if not arguments.only or cause.defect in arguments.only]
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="causes-"))
    print(f"Results of the {len(causes)} runs: {folder}", flush=True)
    began, bad = time.monotonic(), 0
    with browser(folder / "browser") as window, ThreadPoolExecutor(arguments.processes) as pool:
        runs = pool.map(lambda cause: run_with(cause, folder / cause.defect), causes)
        for cause, run in zip(causes, runs, strict=True):
            lines = untold(cause, run.results.outcomes if run.results else (), run.folder, window)
            bad += bool(lines)
            print(f"{'UNTOLD' if lines else 'told  '}  {cause.defect}: {cause.cause}", flush=True)
            for line in lines:
                print(f"    {line}", flush=True)
    print(f"{len(causes)} causes in {time.monotonic() - began:.0f} s, {len(causes) - bad} told at once, {bad} not")
    return 1 if bad or not causes else 0


def _look(results: Path) -> int:
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as window:
        found = flaws(results, window)
        took = opens_in(window, results / "log.html")
    print("\n".join([*found, f"log.html: {(results / 'log.html').stat().st_size / 1e6:.2f} MB, open in {took:.2f} s"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
