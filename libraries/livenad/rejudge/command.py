# SPDX-License-Identifier: Apache-2.0
"""``python -m livenad rejudge``: makes the verdicts in folders again, without a cluster. See ``--help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from livenad.errors import LAB_ERROR_PREFIX, BadInput
from livenad.rejudge import flows
from livenad.rejudge.loading import load, rejudge
from livenad.rejudge.saving import FILE, accept

DESCRIPTION = """\
Makes every verdict again from what a run saved in its evidence, and compares status and message. A folder with
flows.yaml holds recorded flows of a control plane: they are judged by the comparison of everything."""

SAME, DIFFERENT, USAGE = 0, 1, 64


def main(argv: Sequence[str] | None = None) -> int:
    """0: every verdict is the same; 1: not so; 64: there is nothing to judge."""
    arguments = _parser().parse_args(argv)
    try:
        counts = [judge(folder, accepted=arguments.accept) for folder in arguments.folder]
    except BadInput as error:
        print(f"error: {str(error).removeprefix(LAB_ERROR_PREFIX)}", file=sys.stderr)
        return USAGE
    judged, different = (sum(column) for column in zip(*counts, strict=True))
    print(f"{judged} verdicts made again: {judged - different} the same, {different} different")
    return DIFFERENT if different and not arguments.accept else SAME


def judge(folder: Path, *, accepted: bool = False) -> tuple[int, int]:
    """Judge all that is in a folder, and print what is different: how many verdicts, and how many of them differ.

    BadInput when there is nothing in it. With ``accepted`` what is said now is saved in place of what was.
    """
    if (folder / flows.TABLE).is_file():
        return _of_flows(folder)
    files = sorted(folder.rglob(FILE)) if folder.is_dir() else [folder] if folder.is_file() else []
    if not files:
        raise BadInput(f"{folder} has neither {FILE} nor {flows.TABLE}; give a folder of results or of evidence")
    counts = [_of_file(path, accepted=accepted) for path in files]
    judged, different = (sum(column) for column in zip(*counts, strict=True))
    return judged, different


def _of_file(path: Path, *, accepted: bool) -> tuple[int, int]:
    saved = load(path)
    if saved.left_out:
        print(f"NOT SAVED  {path}: {saved.left_out}")
    judged = list(rejudge(saved))
    different = [one for one in judged if not one.same]
    for one in different:
        print(f"DIFFERENT  {path}: {one.title}\n  was  {one.was}\n  is   {one.now}")
    if accepted and different:
        accept(path, [one.now for one in judged])
    return len(judged), len(different)


def _of_flows(folder: Path) -> tuple[int, int]:
    different = 0
    for name, flow in flows.table(folder).items():
        wrong = list(flows.unlike_the_table(folder, name))
        for line in wrong:
            print(f"DIFFERENT  {name}, {'red for its cause' if flow.get('red') else 'green'} in the table; {line}")
        different += bool(wrong)
    return len(flows.table(folder)), different


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m livenad", description="The core of the keyword libraries.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("rejudge", help="make verdicts again", description=DESCRIPTION)
    command.add_argument(
        "folder", nargs="+", type=Path, metavar="DIR", help="results, evidence, one file of it, or recorded flows"
    )
    command.add_argument(
        "--accept", action="store_true", help="save what is said now, after a verdict was changed on purpose"
    )
    return parser
