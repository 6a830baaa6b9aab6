"""Runs the suites in this process, then reports and judges: what run.sh hands over to.

One process from here on, so that a signal reaches Robot itself and a kill leaves no child behind.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from robot.errors import DataError, Information
from robot.run import RobotFramework

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from testplan.__main__ import judge_run, write_reports  # noqa: E402
from testplan.gate import Exit  # noqa: E402

USAGE_ERROR = 64
STOPPED_BY_USER = 253
EMBEDDED_TITLE = "Live Update NAD Reference on the embedded cluster, not a real one"


class ResultFiles:
    """A listener that hears from Robot where its files lie, whatever options name them."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.output: Path | None = None
        self.log: Path | None = None

    def output_file(self, path: Path | None) -> None:
        self.output = path

    def log_file(self, path: Path) -> None:
        self.log = path


class StopSignals:
    """Whether SIGINT or SIGTERM came: Robot ends the run on the first one, and then returns as if tests had failed."""

    def __enter__(self) -> StopSignals:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._writer.close()
        with self._reader:
            self._numbers = set(self._reader.recv(4096))

    def came(self) -> bool:
        return bool(self._numbers & {signal.SIGINT, signal.SIGTERM})


def main(argv: Sequence[str]) -> int:
    """The exit code of the whole run, see ``testplan.gate.Exit``."""
    arguments = _arguments(argv)
    robot = RobotFramework()
    try:
        options, sources = robot.parse_arguments([*arguments.robot, str(ROOT / "suites")])
    except Information as information:
        print(information.message)
        return 0
    except DataError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return USAGE_ERROR
    if len(sources) > 1:
        sources = sources[:-1]
    if not options.get("outputdir"):
        options["outputdir"] = str(_new_folder(arguments.state.absolute() / "results"))
    files = ResultFiles()
    _set_options(options, arguments, files)
    with StopSignals() as signals:
        code = robot.execute(*sources, **options)
    if options.get("dryrun"):
        print("Dry run: nothing was executed, and nothing is proven.")
        return int(code)
    return _conclude(files, interrupted=code == STOPPED_BY_USER or signals.came())


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder in which results/ is made")
    parser.add_argument("--kubeconfig", type=Path, help="of the cluster to test; default: as the libraries find it")
    parser.add_argument("--context", default="", help="a context of that file")
    parser.add_argument("--embedded", action="store_true", help="the cluster is the embedded one: say so in the report")
    parser.add_argument("robot", nargs="*", help="arguments of robot, after --")
    return parser.parse_args(argv)


def _new_folder(results: Path) -> Path:
    """A folder of this run's own, named by its start; two starts in one second get different ones."""
    name = f"{datetime.now():%Y%m%d-%H%M%S}"
    for number in range(1, 1000):
        folder = results / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            _point_latest_at(folder)
            return folder
    raise FileExistsError(f"{results} is full of runs called {name}")


def _set_options(options: dict[str, Any], arguments: argparse.Namespace, files: ResultFiles) -> None:
    options["pythonpath"] = [*options.get("pythonpath", []), str(ROOT / "libraries")]
    options["listener"] = [*options.get("listener", []), files]
    if arguments.kubeconfig:
        kubeconfig = arguments.kubeconfig.expanduser().absolute()
        options["variable"] = [*options.get("variable", []), f"KUBECONFIG:{kubeconfig}", f"CONTEXT:{arguments.context}"]
    if arguments.embedded:
        options["reporttitle"] = options.get("reporttitle") or EMBEDDED_TITLE
        options["logtitle"] = options.get("logtitle") or EMBEDDED_TITLE


def _point_latest_at(folder: Path) -> None:
    """``latest`` beside it is a convenience: where it cannot be made, the run goes on without it."""
    with suppress(OSError):
        new = folder.with_name(f".latest-{os.getpid()}")
        new.symlink_to(folder.name)
        try:
            new.replace(folder.with_name("latest"))
        except OSError:
            new.unlink()


def _conclude(files: ResultFiles, *, interrupted: bool) -> int:
    if files.output is None:
        print("Verdict: NOT PROVEN: robot left no result file")
        return Exit.INTERRUPTED if interrupted else Exit.NOT_PROVEN
    judgement, results = judge_run(files.output)
    written = []
    if results is not None:
        written = write_reports(results, judgement, folder=files.output.parent, log=files.log)
    for path in written:
        print(f"{path.stem.capitalize() + ':':8} {path}")
    print(judgement)
    if interrupted:
        print("Interrupted: the verdict is on what was done until then.")
        return Exit.INTERRUPTED
    return judgement.exit


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
