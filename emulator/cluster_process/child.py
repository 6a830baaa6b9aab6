# SPDX-License-Identifier: Apache-2.0
"""One of the cluster's own processes, seen from the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

LAST_LINES = 15
ROOT = Path(__file__).resolve().parents[2]


class ChildDied(Exception):
    """A process of the cluster has ended unexpectedly; the message shows its last log lines."""


class Child:
    """A Python module run as a process, with a log file and a pipe through which it reports that it is ready."""

    def __init__(self, name: str, log: Path, process: asyncio.subprocess.Process, ready: int) -> None:
        self.name = name
        self.log = log
        self.process = process
        self.is_ready = False
        self._ready = ready

    @classmethod
    async def start(
        cls, name: str, module: str, arguments: Sequence[str], *, directory: Path, pass_fds: Sequence[int] = ()
    ) -> Child:
        """Starts ``python -m module arguments --parent PID --ready-fd N`` in a session of its own."""
        reading, writing = os.pipe()
        log = directory / f"{name}.log"
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
            "TMPDIR": str(directory / "tmp"),
            "PYTHONUNBUFFERED": "1",
            # They trust the authorities of their cluster alone; aiohttp reads those of the system at its import.
            "SSL_CERT_FILE": os.devnull,
            "SSL_CERT_DIR": os.devnull,
        }
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                "--parent",
                str(os.getpid()),
                "--ready-fd",
                str(writing),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                pass_fds=(writing, *pass_fds),
                # The supervisor handles Ctrl-C on the terminal.
                start_new_session=True,
            )
        os.close(writing)
        return cls(name, log, process, reading)

    async def wait_ready(self) -> None:
        """Waits for the ready message; ChildDied if the process closes its pipe, or ends, without one."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._ready, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._ready)
            word = os.read(self._ready, 16) if readable.is_set() else b""
            os.close(self._ready)
        if not word:
            await self.died()
        self.is_ready = True

    async def died(self) -> None:
        """Waits for the process's end and raises ChildDied about it."""
        status = await self.process.wait()
        how = f"exit status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
        raise ChildDied(f"the {self.name} process ended ({how}); its last lines were:\n{self.last_lines()}")

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"  {line}" for line in lines) or "  (nothing)"

    async def stop(self, patience: float = 5.0) -> None:
        """SIGTERM, then SIGKILL; returns once it is gone."""
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), patience)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
