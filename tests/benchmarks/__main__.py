"""Figures of the harness on the embedded cluster: python -m tests.benchmarks

Starts one embedded cluster, runs the P0 suite and a suite that measures, and prints medians and spread. Nothing here
judges: figures depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often the P0 suite runs")
    parser.add_argument("--count", type=int, default=100, help="how many commands and waits are timed")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        again = [PYTHON, "-m", "tests.benchmarks", "--inside"]
        again += ["--runs", str(arguments.runs), "--count", str(arguments.count)]
        return subprocess.run([PYTHON, "-m", "emulator", "exec", "--", *again], cwd=ROOT, check=False).returncode
    return measure(arguments.runs, arguments.count)


def measure(runs: int, count: int) -> int:
    """Runs inside `python -m emulator exec`, so KUBECONFIG names the cluster."""
    with tempfile.TemporaryDirectory() as folder:
        walls = []
        for number in range(runs):
            output = Path(folder) / f"p0-{number}"
            start = time.monotonic()
            code = robot(output, "suites", "--include", "p0")
            walls.append(time.monotonic() - start)
            if code:
                print(f"the P0 suite ended with {code}; its figures mean nothing", file=sys.stderr)
                return code
        figures = Path(folder) / "figures.json"
        code = robot(
            Path(folder) / "latencies", "tests/benchmarks/latencies.robot",
            "--variable", f"COUNT:{count}", "--variable", f"FIGURES:{figures}",
        )  # fmt: skip
        if code:
            return code
        measured = json.loads(figures.read_text())
    print()
    print(f"{'figure':<58}{'median':>10}{'p99':>10}{'n':>6}")
    row("P0 suite, from robot's start to the report (s)", walls, 1)
    for name, seconds in measured.items():
        row(f"{name} (ms)", seconds, 1000)
    return 0


def row(name: str, seconds: list[float], factor: int) -> None:
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:<58}{statistics.median(ordered) * factor:>10.1f}{last * factor:>10.1f}{len(ordered):>6}")


def robot(output: Path, source: str, *options: str) -> int:
    command = [PYTHON, "-m", "robot", "--pythonpath", "libraries", "--outputdir", str(output), "--console", "dotted"]
    done = subprocess.run([*command, *options, source], cwd=ROOT, env=os.environ, capture_output=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout.decode() + done.stderr.decode())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
