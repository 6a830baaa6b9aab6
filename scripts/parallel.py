# SPDX-License-Identifier: Apache-2.0
"""Several suites in parallel, by pabot. Called by run_suites.py, and by pabot as the command that runs one suite.

    python parallel.py pabot ARGUMENTS OF PABOT
    python parallel.py suite CONTROL ARGUMENTS OF ROBOT

pabot itself ends a suite by killing it, and then writes results for it that were not seen. So a signal never reaches
pabot: the robots get it, each ends its suite as it does alone (teardowns included), and no further suite begins.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from pabot import pabot
from robot.run import run_cli

STOPPED = "stopped"
EVIDENCE = "evidence"
PR_SET_PDEATHSIG = 1
CONSOLE = "console"
_ENDED = re.compile(r"\] (?:PASSED \S.* in \S+ seconds|Execution failed in \S.* with \d+ failing test)")


def run_parallel(processes: int, order: Iterable[str], results: Path, arguments: Sequence[str]) -> bool:
    """Runs suites by pabot with these arguments of robot's; True: a signal ended the run.

    ``order`` has the long names of suites, those that are to start first in front; ``results`` is where to write.
    """
    with tempfile.TemporaryDirectory(prefix="live-nad-tests-") as folder:
        control = Path(folder)
        ordering = control / "ordering"
        ordering.write_text("".join(f"--suite {name}\n" for name in order), encoding="utf-8")
        me = [sys.executable, __file__]
        command = [
            *(*me, "pabot", "--processes", str(processes), "--no-pabotlib", "--pabotconsole", "verbose"),
            # What keywords leave beside the results comes to the merged ones, and links to it go with it.
            *("--artifacts", "json,notimestamps"),
            *("--command", *me, "suite", folder, "--end-command", "--ordering", str(ordering)),
            *("--outputdir", str(results), *arguments),
        ]
        # A session of its own, so that a terminal's Ctrl-C does not reach it.
        with (
            _shown(control / CONSOLE),
            subprocess.Popen(
                command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as process,
        ):
            handlers = {
                number: signal.signal(number, lambda number, _: _stop(control, number))
                for number in (signal.SIGINT, signal.SIGTERM)
            }
            _tell_what_pabot_cannot_do(process.stdout or ())
        for number, handler in handlers.items():
            signal.signal(number, handler)
        _bring_evidence(results)
        return (control / STOPPED).exists()


def _bring_evidence(results: Path) -> None:
    """Folders of evidence come to the merged results; they are named after their run, so none meets another."""
    for folder in sorted((results / "pabot_results").glob(f"*/{EVIDENCE}")):
        shutil.copytree(folder, results / EVIDENCE, dirs_exist_ok=True)


@contextmanager
def _shown(fifo: Path) -> Iterator[None]:
    """Shows at once, line by line, what the robots say to the console; pabot keeps that to itself."""
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(fifo, os.O_WRONLY)
    os.set_blocking(reader, True)

    def show() -> None:
        with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                print(line, end="", flush=True)

    thread = threading.Thread(target=show, name="console", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(writer)
        thread.join()


def _tell_what_pabot_cannot_do(lines: Iterable[str]) -> None:
    """All that pabot said, when not one suite ended."""
    said = list(lines)
    if not any(map(_ENDED.search, said)):
        print("".join(said), end="", file=sys.stderr)


def _stop(control: Path, number: int) -> None:
    """Passes a signal on to the robots that run. A second one makes them stop at once, as it does to a robot alone."""
    (control / STOPPED).touch()
    for file in control.glob("robot-*"):
        with suppress(ProcessLookupError):
            os.kill(int(file.name.removeprefix("robot-")), number)


def _pabot(arguments: Sequence[str]) -> int:
    _die_with_parent(signal.SIGTERM)
    # It keeps a list of suites in the working directory, which is the user's.
    pabot._open_pabotsuitenames = partial(open, os.devnull, encoding="utf-8")
    return int(pabot.main_program(list(arguments)))


def _suite(control: Path, arguments: Sequence[str]) -> int:
    _die_with_parent(signal.SIGINT)
    mine = control / f"robot-{os.getpid()}"
    mine.touch()
    try:
        # Without waiting for a reader, which may have been killed.
        console = os.open(control / CONSOLE, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        mine.unlink(missing_ok=True)
        return 1
    os.set_blocking(console, True)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(console, stream.fileno())
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for --console
    try:
        return 1 if (control / STOPPED).exists() else int(run_cli(list(arguments), exit=False))
    finally:
        mine.unlink()


def _die_with_parent(number: int) -> None:
    """Where the system can: when the parent is killed, this process gets a signal and leaves nothing behind."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    sys.exit(_pabot(rest) if role == "pabot" else _suite(Path(rest[0]), rest[1:]))
