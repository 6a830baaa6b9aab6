# SPDX-License-Identifier: Apache-2.0
"""The two dialogues in lines of JSON that a machine has: QMP with QEMU itself, and that with the agent in its guest."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import Callable
from typing import Any


class QmpError(Exception):
    """The other side refused, or is gone."""


class Dialogue:
    """One question at a time, each with its answer; what comes unasked are events."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._awaited_value: int | None = None
        self._reading: asyncio.Task[None] | None = None
        self._event: Callable[[str, dict[str, Any]], None] = lambda _name, _data: None

    async def open(self, event: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        """``event(name, data)`` is called for whatever comes unasked."""
        if event:
            self._event = event
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._end, limit=1 << 26)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while self._reader and (line := await self._reader.readline()):
                with contextlib.suppress(ValueError):
                    self._take(json.loads(line.lstrip(b"\xff")))
        except (OSError, asyncio.IncompleteReadError):
            pass
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(QmpError("the machine has ended"))

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._event(message["event"], message.get("data", {}))
        elif self._awaited_value is not None and message.get("return") != self._awaited_value:
            # An answer to what an earlier client asked, or the complaint about the half of a question.
            return
        elif (waiting := self._answers.get(message.get("id", "agent"))) and not waiting.done():
            waiting.set_result(message)

    async def ask(self, command: str, descriptor: int = -1, **arguments: Any) -> Any:
        """The answer's value. QmpError with the other side's words. ``descriptor`` goes along with the question."""
        number = f"{next(self._numbers)}"
        question = {"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}
        return await self._exchange(number, question | {"id": number}, descriptor)

    async def ask_guest(self, command: str, **arguments: Any) -> Any:
        """The same of a guest's agent, whose answers bear no number."""
        question = {"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}
        return await self._exchange("agent", question, -1)

    async def _exchange(self, key: str, question: dict[str, Any], descriptor: int) -> Any:
        if self._reading is None or self._reading.done() or self._writer is None:
            raise QmpError("the machine has ended")
        async with self._turn:
            waiting = self._answers[key] = asyncio.get_running_loop().create_future()
            try:
                data = json.dumps(question).encode() + b"\n"
                if descriptor >= 0:
                    socket.send_fds(self._end, [data], [descriptor])
                else:
                    self._writer.write(data)
                answer = await waiting
            except OSError as error:
                raise QmpError(str(error)) from None
            finally:
                del self._answers[key]
        if "error" in answer:
            raise QmpError(str(answer["error"].get("desc", answer["error"])))
        return answer.get("return")

    async def synchronise(self) -> None:
        """Returns once an agent answers; what an earlier question left unread is dropped."""
        number = self._awaited_value = next(self._numbers) + 1_000_000
        try:
            if self._writer:
                # At this byte the agent drops half a question.
                self._writer.write(b"\xff")
            await self.ask_guest("guest-sync", id=number)
        finally:
            self._awaited_value = None

    def close(self) -> None:
        if self._writer:
            self._writer.close()
        if self._reading:
            self._reading.cancel()
        self._end.close()
