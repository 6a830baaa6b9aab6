# SPDX-License-Identifier: Apache-2.0
"""Removes what aborted runs left on a cluster: what ``run.sh --delete-leftovers`` hands over to."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robot.errors import DataError
from robot.run import RobotFramework

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.command_line import check_kubeconfig  # noqa: E402
from scripts.given_values import WrongUsage, check_given, profile_file  # noqa: E402

SUITE = Path(__file__).with_suffix(".robot")
FAILED, USAGE_ERROR = 2, 64


class Failures:
    """A listener that says on the console why it failed."""

    ROBOT_LISTENER_API_VERSION = 3

    @staticmethod
    def end_test(_data: Any, result: Any) -> None:
        if result.failed:
            print(result.message, file=sys.stderr)


def main(argv: Sequence[str]) -> int:
    """0, or 2 when something stays or the cluster cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, help="of the cluster; default: as the libraries find it")
    parser.add_argument("--context", default="", help="a context of that file")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument("--profile", action="append", default=[], help="counts where the user's own files say nothing")
    parser.add_argument("robot", nargs="*", help="arguments of robot, after --: --variable and --variablefile")
    arguments = parser.parse_args(argv)
    robot = RobotFramework()
    try:
        options, _ = robot.parse_arguments([*arguments.robot, str(SUITE)])
        profiles = [str(profile_file(name)) for name in dict.fromkeys(arguments.profile)]
        options["variablefile"] = [*options.get("variablefile", []), *profiles]
        settings = check_given(options, [str(SUITE)])
        if arguments.kubeconfig:
            check_kubeconfig(str(arguments.kubeconfig), arguments.context or settings.context)
    except (DataError, WrongUsage) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    own = [f"DRY_RUN:{arguments.dry_run}"]
    if arguments.kubeconfig:
        own.append(f"KUBECONFIG:{arguments.kubeconfig.expanduser().absolute()}")
        own += [f"CONTEXT:{arguments.context}"] if arguments.context else []
    files = dict.fromkeys(("output", "log", "report"), "NONE")
    libraries = str(ROOT / "libraries")
    options.update(files, console="quiet", listener=[Failures()], pythonpath=[libraries])
    options["variable"] = [*options.get("variable", []), *own]
    # Without results of its own Robot takes the working directory for theirs, and evidence would lie there.
    with tempfile.TemporaryDirectory(prefix="live-nad-tests-") as folder:
        return FAILED if robot.execute(str(SUITE), **options | {"outputdir": folder}) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
