# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.baseline``: what every test says, saved and compared. See ``--help``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from tests.baseline.comparing import differences, lines
from tests.baseline.record import load
from tests.baseline.runs import Run, cases, cells
from tests.baseline.saving import save
from tests.baseline.wordings import WordingError, load_wordings

DESCRIPTION = "Keeps verdict and message of every test on every cluster and behind every defect, and compares them."


class Unknown(ValueError):
    """A name on the command line that no run has."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: all was saved, or nothing differs; 1: not so; 64: wrong usage."""
    arguments = _arguments(argv)
    try:
        code: int = arguments.command(arguments)
    except (Unknown, WordingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 64
    return code


def chosen(runs: Mapping[str, Run], patterns: str) -> dict[str, Run]:
    """Those that one of the patterns names, in the order of the runs."""
    wanted = patterns.split(",") if patterns else []
    if unknown := [one for one in wanted if not any(fnmatchcase(name, one) for name in runs)]:
        raise Unknown(f"no such run: {', '.join(unknown)}; there are {', '.join(runs)}")
    return {name: run for name, run in runs.items() if any(fnmatchcase(name, one) for one in wanted)}


def _save(arguments: argparse.Namespace) -> int:
    runs = {**chosen(cells(), arguments.cells), **chosen(cases(), arguments.cases)}
    arguments.into.parent.mkdir(parents=True, exist_ok=True)
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="baseline-", dir=arguments.folder))
    failed = save(
        runs,
        arguments.into,
        folder,
        parallel=arguments.parallel,
        again=arguments.again,
        keep=bool(arguments.folder),
        tell=lambda line: print(line, flush=True),
    )
    print(f"{failed} runs gave nothing")
    return 1 if failed else 0


def _compare(arguments: argparse.Namespace) -> int:
    wordings = load_wordings(arguments.wordings) if arguments.wordings else []
    before, after = load(arguments.before), load(arguments.after)
    found = differences(before, after, wordings)
    if arguments.partial:
        found = [one for one in found if one.test or one.kind != "missing"]
    for line in lines(found):
        print(line)
    for wording in wordings:
        if not wording.used:
            print(f"UNUSED   wording {wording.before!r} matches nothing")
    print(f"{len(before)} runs before, {len(after)} after, {len(found)} differences")
    return 1 if found else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.baseline", description=DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="save | compare")

    saving = commands.add_parser("save", help="run everything and keep what is said; a restart goes on")
    saving.set_defaults(command=_save)
    saving.add_argument("--into", type=Path, required=True, metavar="FILE", help="what it has is not run again")
    for name, example in (("cells", "1.9/*,main/openshift"), ("cases", "edit-ignored/*")):
        group = saving.add_mutually_exclusive_group()
        group.add_argument(f"--{name}", default="*", metavar="A,B", help=f"names or patterns: {example}; default: all")
        group.add_argument(f"--no-{name}", action="store_const", dest=name, const="", help="none")
    saving.add_argument("--parallel", type=int, default=3, metavar="N", help="number of clusters in parallel (3)")
    saving.add_argument("--again", action="store_true", help="run what the file has, too, and add what is different")
    saving.add_argument("--folder", type=Path, metavar="DIR", help="keep the results of the runs below it")

    comparing = commands.add_parser("compare", help="print every difference of two files")
    comparing.set_defaults(command=_compare)
    comparing.add_argument("before", type=Path, metavar="BEFORE")
    comparing.add_argument("after", type=Path, metavar="AFTER")
    comparing.add_argument(
        "--wordings",
        type=Path,
        metavar="FILE",
        help="YAML: a list of before (text or /pattern/), after, why, perhaps scenario",
    )
    comparing.add_argument("--partial", action="store_true", help="AFTER need not have all runs of BEFORE")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
