# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the process that guests are forked from (``emulator.guest.forkserver``)."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import socket
import sys
from pathlib import Path

import emulator
from emulator.dataplane.errors import DataPlaneError
from emulator.guest import channel

_START_SECONDS = 30


class ForkServer:
    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._end: socket.socket | None = None

    @property
    def end(self) -> socket.socket:
        """The channel for launch requests."""
        if self._end is None:
            raise DataPlaneError("the data plane is not started")
        return self._end

    async def start(self) -> None:
        """Must run in a thread that lives as long as the data plane: when it ends, the kernel kills the fork server."""
        self._end, far_end = channel.pair()
        project = str(Path(str(emulator.__file__)).parent.parent)
        path = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH")]))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "emulator.guest.forkserver",
            str(far_end.fileno()),
            str(os.getpid()),
            pass_fds=(far_end.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        far_end.close()
        ready = asyncio.get_running_loop().create_future()
        channel.listen(self._end, lambda *_: ready.set_result(None), lambda: _fail(ready))
        try:
            await asyncio.wait_for(ready, _START_SECONDS)
        except TimeoutError:
            raise DataPlaneError(f"the guests' parent process did not start within {_START_SECONDS} s") from None

    async def stop(self) -> None:
        if self._end:
            asyncio.get_running_loop().remove_reader(self._end.fileno())
            self._end.close()
            self._end = None
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None


def _fail(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_exception(DataPlaneError("the guests' parent process ended at its start; see its error output above"))


def read_only_paths() -> tuple[str, ...]:
    """Paths that a guest's interpreter needs: its own installation, its virtual environment, this package."""
    package = Path(str(emulator.__file__)).parent
    library = importlib.util.find_spec("asyncssh")
    libraries = [Path(library.origin).parent.parent] if library and library.origin else []
    return tuple(dict.fromkeys(str(path) for path in (sys.base_prefix, sys.prefix, package, *libraries)))
