# SPDX-License-Identifier: Apache-2.0
"""Runs the suites, then reports and judges: what run.sh hands over to.

In this process, so that a signal reaches Robot itself and a kill leaves no child behind; by pabot where several suites
are to run in parallel.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from robot.errors import Information
from robot.run import RobotFramework
from robot.version import VERSION as robot_version  # noqa: N811

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.command_line import USAGE_ERROR, CommandLine, read_command_line  # noqa: E402
from scripts.given_values import WrongUsage  # noqa: E402
from testplan.__main__ import judge_run, write_reports  # noqa: E402
from testplan.forecast import forecast  # noqa: E402
from testplan.gate import Exit  # noqa: E402
from testplan.statistics import tag_options  # noqa: E402
from testplan.suites import longest_first  # noqa: E402

STOPPED_BY_USER = 253
_PRIVATE = 0o700
SUITES = str(ROOT / "suites")
PREFLIGHT = str(ROOT / "suites" / "preflight")
DEFAULT_FILES = {"output": "output.xml", "report": "report.html", "log": "log.html"}
_OF_REPORTS = ("prerebotmodifier", "tagstatlink")
CONSOLE = "scripts.progress.Progress"
SUMMARY = "testplan.summary.Summary"
SIGNOFF = "signoff.html"
TITLE = "Live Update NAD Reference"
EMBEDDED_TITLE = "Live Update NAD Reference on the embedded cluster, not a real one"


class ResultFiles:
    """A listener that hears from Robot where its files lie, whatever options name them."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.output: Path | None = None
        self.report: Path | None = None
        self.log: Path | None = None

    def output_file(self, path: Path | None) -> None:
        self.output = path

    def report_file(self, path: Path) -> None:
        self.report = path

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
    kubeconfig = str(arguments.kubeconfig or "")
    try:
        line = read_command_line(
            arguments.robot,
            arguments.profile,
            embedded=arguments.embedded,
            own_cluster=arguments.own_cluster,
            kubeconfig=kubeconfig,
            context=arguments.context,
        )
    except Information as information:
        print(information.message)
        return 0
    except WrongUsage as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    planned = {test.name for test in line.selected} if arguments.preflight else set()
    if arguments.preflight:
        line = line.without_selection([PREFLIGHT])
    if line.options.get("dryrun"):
        return _dry_run(line, arguments)
    options = line.options
    if not options.get("outputdir"):
        options["outputdir"] = str(_new_folder(arguments.state.absolute() / "results"))
    else:
        # Results tell of a cluster what not everybody is to know; a folder that is there stays as it is.
        with suppress(OSError):
            Path(options["outputdir"]).mkdir(mode=_PRIVATE, parents=True)
    options.update(_added_options(line, arguments))
    if arguments.processes > 1:
        return _run_parallel(line, arguments)
    files = ResultFiles()
    options["listener"] = [*options.get("listener", []), files]
    try:
        with StopSignals() as signals:
            code = RobotFramework().execute(*line.sources, **options)
        interrupted = code == STOPPED_BY_USER or signals.came()
        return _conclude(files, line, interrupted=interrupted, planned=planned)
    except (OSError, ValueError) as error:
        # Robot does not expect that what it writes does not fit; in the end it writes to a file that failed to close.
        if isinstance(error, ValueError) and "closed file" not in str(error):
            raise
        why, where = getattr(error, "strerror", None) or error, Path(options["outputdir"]).absolute()
        print(f"Verdict: LAB ERROR: no results can be written ({why}); is the disk full?")
        print(f"Make room, or give another --outputdir than {where}")
        return Exit.LAB_ERROR


def _dry_run(line: CommandLine, arguments: argparse.Namespace) -> int:
    """Runs nothing, and leaves nothing but what the user names: no sign-off is written that pages could lead to."""
    added = _added_options(line, arguments)
    options = line.options | {name: value for name, value in added.items() if name not in _OF_REPORTS}
    with tempfile.TemporaryDirectory(prefix="live-nad-tests-") as folder:
        if not options.get("outputdir"):
            options.update(dict.fromkeys(DEFAULT_FILES, "NONE"), outputdir=folder)
        code = RobotFramework().execute(*line.sources, **options)
    print("Dry run: nothing was executed, and nothing is proven.")
    return int(code)


def _run_parallel(line: CommandLine, arguments: argparse.Namespace) -> int:
    try:
        from scripts.parallel import run_parallel  # noqa: PLC0415 - only this needs pabot
    except ModuleNotFoundError as error:
        print(f"error: --processes needs {error.name}: pip install robotframework-pabot", file=sys.stderr)
        return USAGE_ERROR
    options, sources = line.options, line.sources
    folder = Path(options["outputdir"]).absolute()
    # The user's options follow as they are; only the variable files have to come before the profile.
    given_options = {name: options.get(name) for name in ("log",)}
    added_options = _added_options(CommandLine(given_options, sources, line.selected), arguments)
    only_added = {**added_options, "variablefile": options.get("variablefile", [])}
    added = [
        argument
        for name, value in only_added.items()
        for item in (value if isinstance(value, list) else [value])
        for argument in (f"--{name}", item)
    ]
    given = arguments.robot if sources != [SUITES] else [*arguments.robot, SUITES]
    interrupted = run_parallel(arguments.processes, longest_first(), folder, [*added, *given])
    files = ResultFiles()
    for name, default in DEFAULT_FILES.items():
        path = folder / (options.get(name) or default)
        setattr(files, name, path if path.is_file() else None)
    return _conclude(files, line, interrupted=interrupted)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder in which results/ is made")
    parser.add_argument("--kubeconfig", type=Path, help="of the cluster to test; default: as the libraries find it")
    parser.add_argument("--context", default="", help="a context of that file")
    parser.add_argument("--embedded", action="store_true", help="the cluster is the embedded one: say so in the report")
    parser.add_argument(
        "--own-cluster", action="store_true", help="the user's own: where its networks are is to be said"
    )
    parser.add_argument("--profile", action="append", default=[], help="counts where the user's own files say nothing")
    parser.add_argument("--defect", action="append", default=[], help="what is wrong with the embedded cluster")
    parser.add_argument("--preflight", action="store_true", help="only judge the cluster for what is selected")
    parser.add_argument("--processes", type=int, default=1, help="number of suites in parallel")
    parser.add_argument("robot", nargs="*", help="arguments of robot, after --")
    return parser.parse_args(argv)


def _new_folder(results: Path) -> Path:
    """A folder of this run's own, named by its start; two starts in one second get different ones."""
    name = f"{datetime.now():%Y%m%d-%H%M%S}"
    for number in range(1, 1000):
        folder = results / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            results.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=_PRIVATE)
            _point_latest_at(folder)
            return folder
    raise FileExistsError(f"{results} is full of runs called {name}")


def _added_options(line: CommandLine, arguments: argparse.Namespace) -> dict[str, Any]:
    """What this adds to the user's options; lists begin with the user's own values."""
    options = line.options
    added: dict[str, Any] = {"pythonpath": [*options.get("pythonpath", []), str(ROOT / "libraries")]}
    if arguments.embedded:
        # The cluster is this run's own, and so are its settings. Of two values of a variable the last one counts.
        own_values = ["ALLOW_DISRUPTIVE:yes", *([] if _has_ipv6() else ["IPV6_PREFIX:"])]
        added["variable"] = [*own_values, *options.get("variable", [])]
    if arguments.kubeconfig:
        own = [f"KUBECONFIG:{arguments.kubeconfig.expanduser().absolute()}"]
        # Where the option names none, that of the user's values counts.
        own += [f"CONTEXT:{arguments.context}"] if arguments.context else []
        added["variable"] = [*options.get("variable", []), *own]
    title = EMBEDDED_TITLE if arguments.embedded else TITLE
    if arguments.defect:
        title += f"; injected defects: {', '.join(arguments.defect)}"
    for name in ("reporttitle", "logtitle"):
        added[name] = options.get(name) or title
    added["pythonpath"].append(str(ROOT))
    if not any(options.get(name) for name in ("console", "quiet", "dotted", "dryrun")):
        added["console"] = CONSOLE
    log = Path(options.get("log") or DEFAULT_FILES["log"]).name
    # What a log with a time in its name will be called is known to Robot only.
    unknown = log.upper() == "NONE" or options.get("timestampoutputs")
    modifier = f"{SUMMARY}:{'' if unknown else log}:{SIGNOFF}"
    added["prerebotmodifier"] = [modifier, *options.get("prerebotmodifier", [])]
    added["metadata"] = [*_facts({**options, **added}), *options.get("metadata", [])]
    for name, values in tag_options(test.tags for test in line.selected).items():
        added[name] = [*values, *options.get(name, [])]
    return added


def _has_ipv6() -> bool:
    """Whether this machine, and so the guests of an embedded cluster, have IPv6."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM):
        return True
    return False


def _facts(options: Mapping[str, Any]) -> list[str]:
    """What was run, and with which profile: the report's reader knows only the cluster otherwise."""
    files = [Path(file.partition(":")[0]).name for file in options.get("variablefile", [])]
    versions = f"Robot Framework {robot_version}, Python {platform.python_version()}"
    return [f"Profile:{', '.join(files) or 'none given'}", f"Tests:{_commit()}{versions}"]


def _commit() -> str:
    """``revision 70272e6, ``: the commit of this checkout; "" where that cannot be told."""
    with suppress(OSError, subprocess.SubprocessError):
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
        return f"revision {told.stdout.strip()}, "
    return ""


def _point_latest_at(folder: Path) -> None:
    """``latest`` beside it is a convenience: where it cannot be made, the run goes on without it."""
    with suppress(OSError):
        new = folder.with_name(f".latest-{os.getpid()}")
        new.symlink_to(folder.name)
        try:
            new.replace(folder.with_name("latest"))
        except OSError:
            new.unlink()


def _conclude(
    files: ResultFiles, line: CommandLine, *, interrupted: bool, planned: Collection[str] = frozenset()
) -> int:
    """Reports and judges; the verdict comes first, then where to read on.

    ``planned``: the tests that a preflight was made for.
    """
    if files.output is None:
        print("Verdict: NOT PROVEN: robot left no result file")
        return Exit.INTERRUPTED if interrupted else Exit.NOT_PROVEN
    # A modifier of the user's may have left out what was selected.
    selected = None if line.options.get("prerunmodifier") else {test.name for test in line.selected}
    judgement, results = judge_run(files.output, selected=selected)
    written = []
    if results is not None:
        written = write_reports(results, judgement, folder=files.output.parent, log=files.log, report=files.report)
    print(judgement)
    if interrupted:
        print("Interrupted: the verdict is on what was done until then.")
    for said in forecast(results, planned) if results is not None else ():
        print(said)
    for name, path in (("Sign-off", next(iter(written), None)), ("Report", files.report), ("Log", files.log)):
        if path is not None:
            print(f"{name + ':':9} {path}")
    return Exit.INTERRUPTED if interrupted else judgement.exit


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception:
        # Python would end with 1, as a run that found the product at fault.
        traceback.print_exc()
        print("Verdict: LAB ERROR: the run broke off with an error of these tests themselves; please report it")
        sys.exit(Exit.LAB_ERROR)
