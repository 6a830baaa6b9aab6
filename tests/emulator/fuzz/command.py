# SPDX-License-Identifier: Apache-2.0
"""The command line of the fuzzer."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from .runs import PATIENCE, SPEED, Tally, play
from .steps import Batch
from .strategies import batches

BATCH = 20
COMMAND = "python -m tests.emulator.fuzz"


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog=COMMAND, description="Random legal sequences on embedded clusters.")
    found.add_argument("--sequences", type=int, default=200, metavar="N", help="how many sequences (200)")
    found.add_argument("--seed", type=int, help="the same seed gives the same sequences; a random one otherwise")
    found.add_argument("--batch", type=int, default=BATCH, metavar="N", help=f"sequences on one cluster ({BATCH})")
    found.add_argument("--speed", type=float, default=SPEED, help=f"the clusters' speed ({SPEED:g})")
    found.add_argument("--patience", type=float, default=PATIENCE, help="seconds in which a VM has to come to rest")
    found.add_argument("--defect", action="append", default=[], help="have the clusters do something wrong")
    found.add_argument("--replay", type=Path, metavar="FILE", help="play the batch of a violation again")
    found.add_argument("--save", type=Path, default=Path(), metavar="FOLDER", help="where violations are written to")
    found.add_argument("--first", action="store_true", help="end with the first batch that has a violation")
    return found


def main(arguments: Sequence[str]) -> int:
    """1 where there was a violation, 0 where not."""
    options = parser().parse_args(arguments)
    # What fails on purpose, such as a pod without its network, is logged as a warning.
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    tally = Tally()
    if options.replay:
        drawn = [Batch.read(options.replay.read_text())]
    else:
        seed = options.seed if options.seed is not None else secrets.randbelow(1 << 32)
        print(f"seed {seed}", flush=True)
        drawn = _drawn(options, seed)
    for batch in drawn:
        if not (options.first and tally.findings):
            _play(batch, tally, options)
    print(tally)
    return 1 if tally.findings else 0


def _drawn(options: argparse.Namespace, seed: int) -> list[Batch]:
    """Drawn before the first is played: what comes of one has no bearing on the next."""
    found: list[Batch] = []
    count = -(-options.sequences // options.batch)

    @seeded(seed)
    @settings(
        # More, because Hypothesis begins with the simplest of all, and comes back to such.
        max_examples=count + count // 10 + 3,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(batches(options.batch, tuple(options.defect)))
    def each(batch: Batch) -> None:
        if len(set(batch.sequences)) > 1:
            found.append(batch)

    each()
    return found[:count]


def _play(batch: Batch, tally: Tally, options: argparse.Namespace) -> None:
    known = len(tally.findings)
    asyncio.run(play(batch, tally, speed=options.speed, patience=options.patience))
    for number, finding in enumerate(tally.findings[known:], start=known + 1):
        print(f"VIOLATION {number}: {finding}")
    if len(tally.findings) > known and not options.replay:
        file = options.save / f"violation-{known + 1}.json"
        file.write_text(batch.text())
        print(f"again: {COMMAND} --replay {file}")
    print(f"{tally.sequences} sequences in {tally.seconds:.0f} s, {len(tally.findings)} violations", flush=True)
