# SPDX-License-Identifier: Apache-2.0
"""Python programs as processes that are forked from one which has imported Robot and the libraries already.

Each still has a process, arguments, environment and working directory of its own. Starting the interpreter and
importing would cost a second of the processor for each.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = ["robot.run", "KubeVirtLibrary", "GuestLibrary", "scripts.run_suites"]


def run_forked(
    program: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
    in_one: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Runs a file, or a module where ``program`` does not end in ``.py``, in ``folder``. TimeoutExpired as subprocess.

    What it prints is in ``stdout`` and ``stderr``, or ``in_one`` in ``stdout``.
    """
    command = [program, *arguments]
    with tempfile.TemporaryDirectory() as place:
        streams = [str(Path(place) / name) for name in ("stdout", "stdout" if in_one else "stderr")]
        child = _context().Process(target=_become, args=(command, str(folder), dict(env or os.environ), streams))
        child.start()
        child.join(timeout)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise subprocess.TimeoutExpired(command, timeout)
        said = [Path(stream).read_text(encoding="utf-8") for stream in dict.fromkeys(streams)]
        return subprocess.CompletedProcess(command, child.exitcode, *said)


def _context() -> ForkServerContext:
    """The server starts at the first use, and ends with this process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _become(command: Sequence[str], folder: str, env: Mapping[str, str], streams: Sequence[str]) -> None:
    for number, stream in enumerate(streams, start=1):
        with open(stream, "ab") as file:  # noqa: PTH123 - its descriptor is what counts
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    program, *_ = sys.argv = list(command)
    try:
        if program.endswith(".py"):
            sys.path.insert(0, str(Path(program).parent))
            runpy.run_path(program, run_name="__main__")
        else:
            sys.path.insert(0, folder)
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    finally:
        # A process of multiprocessing ends without what interpreters do at their end.
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
