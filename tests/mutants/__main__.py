# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.mutants``: changes the code that judges in one place after another; tells what no test noticed."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import page
from tests.mutants.runner import ROOT
from tests.mutants.work import MOST_EXPLAINED, Module, modules, outcomes_of

GOAL = 0.90
DESCRIPTION = """\
Mutates the modules of tests/mutants/modules.yaml by the operators of cosmic-ray, and runs the tests of a module against
each of its mutants. What was found is kept in .mutants/, so that the program goes on where it was broken off, unless
module or tests have changed. Expected to take about half an hour on one quiet processor."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: each module that was asked for reaches the goal; 1: not so, or not all is known."""
    arguments = _parser().parse_args(argv)
    began = time.monotonic()
    chosen = modules(arguments.modules)
    if not chosen:
        print(f"error: no module or group is named {' or '.join(arguments.modules)}", file=sys.stderr)
        return 64
    for module in chosen:
        left = began + arguments.seconds - time.monotonic()
        if left > 1 and not arguments.tell:
            _run(module, arguments.shard, left)
        _print(module, alive=arguments.alive)
    unused = [one for module in chosen for one in module.explained if not _explains(module, one)]
    for one in unused:
        print(f"explains no mutant that lives: {one.module}: {one.was} -> {one.now}")
    if arguments.document:
        page.write(chosen, _commit())
    score, goal, explained, all_of = page.score(chosen), GOAL, page.explained(chosen), page.total(chosen)
    print(f"all: {score:.1%} of {all_of} mutants killed, {explained} explained; {time.monotonic() - began:.0f} s")
    lacks = score < goal or explained > MOST_EXPLAINED * all_of
    return int(lacks or bool(unused) or any(one.left() for one in chosen))


def _run(module: Module, shard: tuple[int, int], seconds: float) -> None:
    number, of = shard
    mine = [mutant for place, mutant in enumerate(module.left()) if place % of == number - 1]
    if mine:
        for line in outcomes_of(module, mine, seconds=seconds):
            module.note(line)


def _print(module: Module, *, alive: bool) -> None:
    lives, left = module.alive(), len(module.left())
    unknown = f", {left} not tried yet" if left else ""
    print(
        f"{page.score([module]):6.1%}  {module.path}: {len(lives)} of {len(module.mutants)} live{unknown}", flush=True
    )
    if alive:
        for mutant, outcome in lives:
            was, now = module.words_of(mutant)
            print(f"    {mutant.line}: {outcome}\n        - {was}\n        + {now}", flush=True)


def _explains(module: Module, one: object) -> bool:
    return any(module.explanation(mutant) is one for mutant in module.mutants)


def _commit() -> str:
    done = subprocess.run(["git", "log", "-1", "--format=%h"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _shard(text: str) -> tuple[int, int]:
    number, _, of = text.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError(f"{text} is no shard; expected one such as 2/4")
    return int(number), int(of)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=DESCRIPTION)
    parser.add_argument("modules", nargs="*", metavar="NAME", help="a group, or a part of a path; all by default")
    parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="N/OF", help="only every OFth mutant")
    parser.add_argument("--seconds", type=float, default=1e6, metavar="S", help="stop after this time")
    parser.add_argument("--alive", action="store_true", help="print each mutant that nothing noticed")
    parser.add_argument("--tell", action="store_true", help="run nothing: print what is known")
    parser.add_argument("--document", action="store_true", help=f"write {page.PAGE.relative_to(Path(ROOT))}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
