# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.console``: the console in as many fuzzed dialogues as you like. See ``--help``."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning

from tests.console.dialogues import Dialogue, flaws
from tests.console.strategies import dialogues

DESCRIPTION = "Runs the console in fuzzed dialogues with a simulated guest, in virtual time."


def fuzz(number: int, first_seed: int, *, shrink: bool) -> str:
    """Run ``number`` dialogues; returns "" when all passed, else one that failed: with ``shrink`` the smallest one."""

    @seed(first_seed)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(dialogues)
    def check(dialogue: Dialogue) -> None:
        found = flaws(dialogue)
        assert not found, "\n".join([*found, repr(dialogue)])

    warnings.simplefilter("ignore", HypothesisWarning)  # of long dialogues
    try:
        check()
    except BaseException as error:  # hypothesis raises groups, too
        return f"seed {first_seed}: {error}"[:100_000]
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """0: no dialogue had a wrong answer; 1: one had."""
    parser = argparse.ArgumentParser(prog="python -m tests.console", description=DESCRIPTION)
    parser.add_argument("--dialogues", type=int, default=10_000, metavar="N", help="number of dialogues (10000)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="dialogues in parallel")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the first part; the same is drawn again")
    parser.add_argument("--shrink", action="store_true", help="make a dialogue that fails as small as it can be")
    arguments = parser.parse_args(argv)
    began, part = time.monotonic(), 250
    sizes = [min(part, arguments.dialogues - start) for start in range(0, arguments.dialogues, part)]
    seeds = range(arguments.seed, arguments.seed + len(sizes))
    with ProcessPoolExecutor(arguments.processes) as pool:
        found = 0
        for done, text in enumerate(pool.map(partial(fuzz, shrink=arguments.shrink), sizes, seeds), 1):
            found += bool(text)
            print(text or f"{sum(sizes[:done])} dialogues", flush=True)
    print(f"{sum(sizes)} dialogues in {time.monotonic() - began:.0f} s; {found} of {len(sizes)} parts found a flaw")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
