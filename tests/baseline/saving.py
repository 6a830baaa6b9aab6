# SPDX-License-Identifier: Apache-2.0
"""Makes the runs and keeps what they said, each as soon as it ends."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.baseline.record import Record, Records, load, write
from tests.baseline.runs import Run

Tell = Callable[[str], None]


def save(
    runs: Mapping[str, Run], into: Path, folder: Path, *, parallel: int, again: bool, keep: bool, tell: Tell
) -> int:
    """How many runs gave nothing. What the file has is not run again, unless ``again`` asks for alternatives."""
    records: Records = load(into) if into.exists() else {}
    left = {name: run for name, run in runs.items() if again or name not in records}
    tell(f"{len(runs)} runs, {len(runs) - len(left)} of them are in {into} already; results: {folder}")

    def one(number: int, run: Run) -> tuple[Record, float]:
        began, place = time.monotonic(), folder / f"{number:03}"
        found = run(place)
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
        return found, time.monotonic() - began

    failed = 0
    with ThreadPoolExecutor(parallel) as pool:
        names = {pool.submit(one, number, run): name for number, (name, run) in enumerate(left.items(), 1)}
        for done, future in enumerate(as_completed(names), 1):
            name = names[future]
            try:
                found, seconds = future.result()
            except Exception as error:
                # One run that hangs or breaks must not cost the others.
                failed += 1
                tell(f"{done}/{len(left)}  NOTHING  {name}: {error!r}")
                continue
            tell(f"{done}/{len(left)}  {seconds:5.0f} s  {name}: {summary(found)}{add(records, name, found)}")
            write(into, records)
    return failed


def add(records: Records, name: str, found: Record) -> str:
    """Adds what a run said; names how many tests said it differently than before."""
    if name not in records:
        records[name] = found
        return ""
    known = records[name]
    before = {key: len(several) for key, several in known.tests.items()}
    known.add(found)
    changed = sum(len(several) > before.get(key, 0) for key, several in known.tests.items())
    return f"; {changed} of them differently than before" if changed else ""


def summary(found: Record) -> str:
    """``gate 1, 3 FAIL, 14 PASS``."""
    words = [one.status for several in found.tests.values() for one in several]
    counts = [f"{words.count(word)} {word or 'printed'}" for word in sorted(set(words))]
    return ", ".join([f"gate {' or '.join(map(str, found.gate))}", *counts])
