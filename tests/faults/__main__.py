# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.faults``: the suites behind every fault, compared with an undisturbed run. See ``--help``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testplan.suites import read_tests
from tests.faults.catalogue import FAULTS, UNDISTURBED
from tests.faults.runs import Behind, differences, run_behind

DESCRIPTION = "Runs the suites behind each fault of the API; every verdict must be that of an undisturbed run."


def main(argv: Sequence[str] | None = None) -> int:
    """0: every verdict is that of the undisturbed run, and no write was repeated; 1: not so; 64: wrong usage."""
    arguments = _arguments(argv)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    print(f"Results of the runs: {folder}", flush=True)
    found = run_all(arguments.faults, arguments.suites, folder, arguments)
    undisturbed, *others = found
    suites = list(undisturbed.outcomes)
    print(table(undisturbed, others, suites))
    wrong = 0
    for behind in others:
        for suite, lines in differences(behind, undisturbed, suites).items():
            wrong += bool(lines)
            for line in lines:
                print(f"DIFFERENT  {behind.fault}, {suite}: {line}")
        for line in behind.repeated:
            print(f"REPEATED   {behind.fault}: {line}")
    repeated = sum(len(behind.repeated) for behind in others)
    print(f"{len(others) * len(suites)} combinations, {wrong} different; {repeated} writes repeated")
    return 1 if wrong or repeated or not suites else 0


def run_all(faults: Sequence[str], suites: Sequence[str], folder: Path, arguments: argparse.Namespace) -> list[Behind]:
    """The undisturbed run first, then one for each fault, in their order; ``jobs`` clusters in parallel.

    What an earlier call left in ``folder`` of the same suites is not run again.
    """

    def run(fault: str) -> Behind:
        done = folder / fault / "behind.json"
        if done.is_file() and set(suites) <= (earlier := Behind.load(done)).outcomes.keys():
            print(f"{fault}: run before", flush=True)
            return earlier
        behind = run_behind(
            fault,
            folder / fault,
            suites,
            processes=arguments.processes,
            cluster=("--speed", str(min(arguments.speed, FAULTS[fault].speed))),
            options=arguments.robot,
        )
        behind.save(done)
        print(f"{fault}: {behind.requests} requests, {behind.seconds:.0f} s", flush=True)
        return behind

    with ThreadPoolExecutor(arguments.jobs) as pool:
        return list(pool.map(run, [UNDISTURBED, *(fault for fault in faults if fault != UNDISTURBED)]))


def table(undisturbed: Behind, others: Sequence[Behind], suites: Sequence[str]) -> str:
    """Suites down, faults across; "=" is all as undisturbed, "!3" that three tests are not."""
    judged = {behind.fault: differences(behind, undisturbed, suites) for behind in others}
    width = max(map(len, suites), default=0)
    lines = [f"{number:>2} {behind.fault}" for number, behind in enumerate(others, 1)]
    head = " ".join(f"{number:>3}" for number in range(1, len(others) + 1))
    rows = [
        " ".join(f"{'=' if not lines[suite] else f'!{len(lines[suite])}':>3}" for lines in judged.values())
        for suite in suites
    ]
    named = [f"{suite.ljust(width)} {row}" for suite, row in zip(suites, rows, strict=True)]
    return "\n".join([*lines, f"{''.ljust(width)} {head}", *named])


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=DESCRIPTION)
    stems = sorted({test.source.stem for test in read_tests()})
    for name, known, default in (("faults", list(FAULTS), list(FAULTS)), ("suites", stems, [])):
        parser.add_argument(f"--{name}", nargs="+", choices=known, default=default, metavar="NAME", help="default: all")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="suites in parallel on a cluster")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="number of clusters in parallel")
    parser.add_argument("--speed", type=int, default=5, metavar="N", help="delays are shortened at most N times (5)")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where the runs leave their results; those there are not run again"
    )
    parser.add_argument("--robot", nargs="*", default=[], metavar="ARG", help="arguments of robot")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
