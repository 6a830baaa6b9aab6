# SPDX-License-Identifier: Apache-2.0
"""One run of a guest from power-on to its end, as the hypervisor sees it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import signal
import socket
from collections.abc import AsyncGenerator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emulator.dataplane.errors import DataPlaneError
from emulator.guest import channel
from emulator.guest.spec import BootSpec

_STAGES = ("namespaces", "process", "serial")


class Machine:
    """The processes of a guest between one boot and the next."""

    def __init__(self) -> None:
        self._end, self._far_end = channel.pair()
        self._stages: dict[str, asyncio.Future[None]] = {}
        # File descriptors that the guest has sent and that are not used yet.
        self._unclaimed: dict[str, int] = {}
        self._questions: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._numbers = itertools.count(1)
        self._process = -1
        # "off", "reboot" or "killed", once no process of the guest is left.
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.frozen = False

    async def launch(self, forkserver: socket.socket) -> int:
        """Asks the fork server to fork the guest. Returns the file descriptor of its network namespace, which the
        caller owns.
        """
        loop = asyncio.get_running_loop()
        self._stages = {stage: loop.create_future() for stage in _STAGES}
        channel.listen(self._end, self._on_message, self._on_gone)
        channel.send(forkserver, {"do": "launch"}, (self._far_end.fileno(),))
        self._far_end.close()
        await self._stages["namespaces"]
        await self._stages["process"]
        self._process = self._unclaimed.pop("process")
        return self._unclaimed.pop("namespaces")

    async def boot(self, spec: BootSpec) -> int:
        """Lets process 1 continue with this specification. Returns the master side of the serial line, which the caller
        owns.
        """
        channel.send(self._end, {"spec": asdict(spec)})
        await self._stages["serial"]
        return self._unclaimed.pop("serial")

    def _on_message(self, message: channel.Message, descriptors: list[int]) -> None:
        if "answer" in message:
            queue = self._questions.get(message["answer"])
            if queue:
                queue.put_nowait(message)
            return
        stage = self._stages.get(message["event"])
        if stage:
            self._unclaimed[message["event"]] = descriptors[0]
            if not stage.done():
                stage.set_result(None)
        elif message["event"] == "ended" and not self.ended.done():
            self.ended.set_result(message["power"])

    def _on_gone(self) -> None:
        if not self.ended.done():
            self.ended.set_result("killed")
        for stage in self._stages.values():
            if not stage.done():
                stage.set_exception(DataPlaneError("the guest ended while it was being launched"))
                # There may be no waiter.
                stage.exception()
        for queue in self._questions.values():
            queue.put_nowait(None)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._end.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._end.fileno())
            self._end.close()

    async def ask(self, question: str, **details: Any) -> dict[str, Any]:
        """Asks process 1 and gives its answer; ConnectionError when the guest ends meanwhile."""
        async with contextlib.aclosing(self._asked(question, details)) as answers:
            async for answer in answers:
                return answer
        raise ConnectionResetError("the guest has ended")

    async def run(self, argv: list[str]) -> tuple[int, bytes]:
        output = bytearray()
        async with contextlib.aclosing(self._asked("run", {"argv": argv})) as answers:
            async for answer in answers:
                if "status" in answer:
                    return int(answer["status"]), bytes(output)
                output += base64.b64decode(answer["piece"])
        raise ConnectionResetError("the guest has ended")

    async def _asked(self, question: str, details: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        number = next(self._numbers)
        queue = self._questions[number] = asyncio.Queue()
        try:
            if self.ended.done():
                return
            channel.send(self._end, {"ask": question, "id": number, **details})
            while (answer := await queue.get()) is not None:
                yield answer
        except OSError:
            return
        finally:
            del self._questions[number]

    async def kill(self) -> None:
        """Ends every process of the guest; returns when there is none left."""
        if self._process < 0:
            # It was not fully launched: without further messages, its processes end by themselves.
            self._on_gone()
        elif not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
        await asyncio.wait({self.ended})

    def freeze(self, frozen: bool) -> None:
        """Stops or continues every process. Parents stop before and continue after their children, so that they do not
        notice.
        """
        if self.ended.done():
            return
        self.frozen = frozen
        number = signal.SIGSTOP if frozen else signal.SIGCONT
        known: set[int] = set()
        while new := [pid for pid in self._processes() if pid not in known]:
            for pid in sorted(new, reverse=not frozen):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            known.update(new)
            if not frozen:
                return

    def _processes(self) -> Iterator[int]:
        """All processes of the guest's PID namespace, by their host PIDs."""
        first = _pid_of(self._process)
        inside = _namespace_of(first)
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and inside and _namespace_of(int(entry.name)) == inside:
                yield int(entry.name)

    def close(self) -> None:
        """Releases a machine that has ended."""
        self._on_gone()
        self._far_end.close()
        if self._process >= 0:
            os.close(self._process)
            self._process = -1
        for descriptor in self._unclaimed.values():
            os.close(descriptor)
        self._unclaimed.clear()


def _pid_of(handle: int) -> int:
    for line in Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "Pid":
            return int(value)
    return -1


def _namespace_of(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")  # noqa: PTH115 - the link is read, not followed
    except OSError:
        return ""
