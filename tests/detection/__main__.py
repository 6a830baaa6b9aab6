# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.detection``: the suites against every defect of the table. See ``--help``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emulator.cli.main import NOTICED
from testplan.suites import read_tests
from tests.detection import chance, document, on_cluster, random_runs
from tests.detection.judging import Judged, judge
from tests.detection.outcomes import report, report_noise
from tests.detection.report import html
from tests.detection.table import Case, flaws, load_table, never_red, noticed

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "detection.md"
DESCRIPTION = "Runs the suites against every defect in tests/detection/table and says which were caught."


def main(argv: Sequence[str] | None = None) -> int:
    """0: every case came out as the table says, and every test is turned red by one; 1: not so."""
    arguments = _arguments(argv)
    if arguments.random:
        return _by_chance(arguments, int(time.time()) if arguments.seed is None else arguments.seed)
    if arguments.noticed:
        NOTICED.write_text(json.dumps(noticed(load_table(), read_tests()), indent=1) + "\n", encoding="utf-8")
        return 0
    cases = [
        case
        for case in load_table()
        if (not arguments.suite or case.suite in arguments.suite)
        and (not arguments.only or (case.defect or case.lab or case.unnamed) in arguments.only)
        and (case.reduced or not arguments.reduced)
    ]
    if not cases:
        print("error: no case of the table is chosen", file=sys.stderr)
        return 64
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="detection-"))
    print(f"Results of the {len(cases)} runs: {folder}", flush=True)
    began = time.monotonic()
    judged = run_cases(cases, folder, arguments.processes)
    seconds = time.monotonic() - began
    missing = never_red(load_table(), read_tests())
    (folder / "detection.html").write_text(html(judged, missing, seconds, folder), encoding="utf-8")
    if arguments.document:
        document.write(arguments.document, judged, load_table(), missing)
    lacks = flaws(load_table())
    for line in (*lacks, *(f"{test.source.stem}: no defect turns {test.name!r} red" for test in missing)):
        print(f"LACKS  {line}")
    wrong = [one for one in judged if not one.caught]
    print(
        f"{len(judged)} cases in {seconds:.0f} s: {len(judged) - len(wrong)} as the table says, {len(wrong)} not; "
        f"{len(missing)} tests that no defect makes fail; {folder / 'detection.html'}"
    )
    return 1 if wrong or missing or lacks else 0


def _by_chance(arguments: argparse.Namespace, seed: int) -> int:
    count = arguments.random
    if arguments.recorded:
        what = f"in the evidence of a good run, seed {seed}"
        return report(chance.try_all(count, seed), what) | report_noise(chance.try_noise(count, seed), what)
    what = f"on the embedded cluster, seed {seed}"
    if arguments.noise:
        folder = arguments.folder or random_runs.RESULTS / f"noise-{seed}"
        drawn = on_cluster.draw_noise(count, seed)
        return report_noise(random_runs.run_all(drawn, folder, arguments.processes, noise=True), what)
    folder = arguments.folder or random_runs.RESULTS / f"random-{seed}"
    return report(random_runs.run_all(on_cluster.draw(count, seed), folder, arguments.processes), what)


def run_cases(cases: Sequence[Case], folder: Path, processes: int) -> list[Judged]:
    """Runs the cases, ``processes`` in parallel, and reports each when it ends; in the order of the table."""
    lock = threading.Lock()

    def run(numbered: tuple[int, Case]) -> Judged:
        number, case = numbered
        try:
            judged = judge(case, folder / f"{number:03d}-{case.title.replace(', ', '-').replace(' ', '-')}")
        except Exception as error:
            # One run that hangs or breaks must not cost the others.
            judged = Judged(case, wrong=[f"could not be run: {error!r}"])
        with lock:
            print(
                f"{'as it must' if judged.caught else 'DIFFERENT '}  {judged.seconds:5.1f} s  {case.title}", flush=True
            )
            for line in judged.wrong:
                print(f"    {line}", flush=True)
        return judged

    with ThreadPoolExecutor(processes) as pool:
        return list(pool.map(run, enumerate(cases, 1)))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=DESCRIPTION)
    parser.add_argument(
        "--random",
        type=int,
        metavar="N",
        help="run P0 on the embedded cluster with N things by chance that go wrong, one at a time; can be resumed",
    )
    parser.add_argument(
        "--noise", action="store_true", help="of --random: N things that may happen at any time, which must stay green"
    )
    parser.add_argument(
        "--recorded",
        action="store_true",
        help="of --random: run nothing, but judge the evidence of a good run with N defects and N noises",
    )
    parser.add_argument("--seed", type=int, metavar="S", help="of --random, to see the same again; default: the time")
    parser.add_argument("--processes", type=int, default=3, metavar="N", help="number of clusters in parallel (3)")
    parser.add_argument("--only", action="append", metavar="NAME", help="this defect or fault only; may be repeated")
    parser.add_argument("--suite", action="append", metavar="STEM", help="this suite's file only; may be repeated")
    parser.add_argument("--reduced", action="store_true", help="only the cases that ./test.sh runs")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the runs leave their results")
    parser.add_argument(
        "--document",
        type=Path,
        nargs="?",
        const=DOCUMENT,
        metavar="FILE",
        help="bring docs/detection.md (or FILE) up to date, and the same as .html beside it",
    )
    parser.add_argument(
        "--noticed", action="store_true", help="run nothing: bring what `emulator defects` tells up to date"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
