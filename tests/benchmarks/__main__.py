# SPDX-License-Identifier: Apache-2.0
"""Figures of the harness on embedded clusters: python -m tests.benchmarks

Nothing here judges a figure: they depend on the machine. ``--compare`` judges ratios.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.comparing import worse
from tests.benchmarks.figures import SECTIONS, Figure, Ratio
from tests.benchmarks.lab import BenchmarkError, Lab

MODULES = {
    "a": "overhead",
    "b": "waits",
    "c": "commands",
    "d": "verdicts",
    "e": "costs",
    "f": "scale",
    "g": "startup",
    "h": "without_cluster",
    "i": "hundreds",
}


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 where a ratio is worse than published, or nothing could be measured."""
    arguments = _arguments(argv)
    figures: list[Figure] = []
    ratios: list[Ratio] = []
    notes: dict[str, str] = {}
    loads = [0.0]
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        lab = Lab(arguments.folder or Path(folder), arguments.scale)
        for section in arguments.only:
            module = importlib.import_module(f"tests.benchmarks.{MODULES[section]}")
            start = time.monotonic()
            try:
                more, shares = module.measure(lab)
            except BenchmarkError as error:
                print(f"{section}: {error}", file=sys.stderr)
                return 1
            loads.append(os.getloadavg()[1])
            figures += more
            ratios += shares
            notes[section] = (module.__doc__ or "").partition(" ")[2].partition("\n\n")[2].strip()
            print(f"{section}. {SECTIONS[section]}: measured in {time.monotonic() - start:.0f} s", flush=True)
    print(report.as_text(figures, ratios))
    if arguments.json:
        told = {"figures": [one.as_data() for one in figures], "ratios": [one.as_data() for one in ratios]}
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if arguments.document:
        report.write(figures, ratios, notes, max(loads))
    trouble = worse(ratios, report.published()) if arguments.compare else []
    for line in trouble:
        print(f"WORSE  {line}")
    return 1 if trouble else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", type=_sections, default=list(SECTIONS), help="sections, such as a,g; default: all")
    parser.add_argument("--scale", type=float, default=1.0, help="repetitions, as a multiple of those published")
    parser.add_argument(
        "--document", action="store_true", help="write these sections of docs/benchmarks.md, and their ratios"
    )
    parser.add_argument("--compare", action="store_true", help="end with 1 where a ratio is worse than published")
    parser.add_argument("--json", type=Path, help="write all values to this file")
    parser.add_argument("--folder", type=Path, help="keep what the runs leave here")
    return parser.parse_args(argv)


def _sections(text: str) -> list[str]:
    chosen = [letter.strip() for letter in text.split(",")]
    for letter in chosen:
        if letter not in SECTIONS:
            raise argparse.ArgumentTypeError(f'"{letter}" is no section; there are: {", ".join(SECTIONS)}')
    return chosen


if __name__ == "__main__":
    sys.exit(main())
