# SPDX-License-Identifier: Apache-2.0
"""One request on its way through the proxy, and what a fault may do to it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from tests.faults.wire import Head, body_of, close, framed, read_head

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Course:
    """How a request and its answer travel.

    ``delay``: seconds that each direction takes longer. After ``cut_after`` seconds a watch or stream is reset,
    ``last_words`` before it, and a whole end where they are a whole line; after ``stall_after`` nothing of it comes
    any more. ``inward`` and ``outward`` change what is asked and what is answered.
    """

    delay: float = 0.0
    cut_after: float | None = None
    stall_after: float | None = None
    last_words: bytes = b""
    inward: Change = bytes
    outward: Change = bytes


STRAIGHT = Course()


class Fate(Enum):
    """What became of a request."""

    ANSWERED = "carried out, or refused by the server itself, and answered"
    KEPT_BACK = "never sent to the server"
    LOST = "carried out, and the answer lost"


@dataclass
class Sent:
    """A request as it was sent, for the record. ``status`` is the server's own answer, 0 where it was not asked."""

    verb: str
    target: str
    body: bytes
    fate: Fate = Fate.KEPT_BACK
    status: int = 0

    @property
    def sort(self) -> str:
        """Its verb and what it is about, whatever the names: ``PUT namespaces virtualmachines restart``.

        A patch is about the last field that it changes: ``PATCH namespaces virtualmachines networkName``.
        """
        steps = urlsplit(self.target).path.strip("/").split("/")
        steps = steps[2:] if steps[0] == "api" else steps[3:]
        return " ".join([self.verb, *steps[0::2], *_patched(self.body if self.verb == "PATCH" else b"")])

    @property
    def is_write(self) -> bool:
        """Whether it changes something on the cluster; a review or a dry run does not."""
        stores = "review" not in self.target and not self.target.endswith("/token") and "dryRun" not in self.target
        return self.verb in ("POST", "PUT", "PATCH", "DELETE") and stores


def _patched(body: bytes) -> list[str]:
    """The last field that a JSON patch changes; nothing for another body."""
    try:
        operations = json.loads(body or b"null")
    except ValueError:
        return []
    paths = [one["path"] for one in operations if one["op"] != "test"] if isinstance(operations, list) else []
    return [step for step in paths[-1].split("/") if step not in ("", "-") and not step.isdigit()][-1:] if paths else []


class Exchange:
    """``connect`` opens the way to the server. Exactly one of the coroutines is to be awaited, once."""

    def __init__(
        self,
        head: Head,
        body: bytes,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        connect: Callable[[], asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
    ) -> None:
        self.head = head
        self.body = body
        verb, self.target, _ = head.first.split(" ")
        self.sent = Sent(verb, self.target, body)
        self.stays_open = True
        self._reader, self._writer = client
        self._connect = connect

    @property
    def verb(self) -> str:
        return self.sent.verb

    @property
    def is_write(self) -> bool:
        return self.sent.is_write

    @property
    def sort(self) -> str:
        """Its verb and what it is about."""
        return self.sent.sort

    @property
    def is_watch(self) -> bool:
        return self.verb == "GET" and "watch=" in self.target

    @property
    def is_stream(self) -> bool:
        """A console or a forwarded port."""
        return self.head.get("upgrade").lower() == "websocket"

    async def forward(self, course: Course = STRAIGHT) -> None:
        """Carry out and answer."""
        await asyncio.sleep(course.delay)
        self.head.first = course.inward(self.head.first.encode()).decode()
        head, reader, writer = await self._ask(course.inward(self.body))
        self.sent.fate = Fate.ANSWERED
        try:
            if head.status == 101:
                await self._tunnel(head, reader, writer, course)
            elif self.is_watch and head.is_chunked:
                await self._watch(head, reader, course)
            else:
                whole = b"".join([piece async for piece in body_of(reader, head, is_answer=True)])
                await asyncio.sleep(course.delay)
                await self._answer(_head_changed(head, course.outward), course.outward(whole))
        finally:
            await close(writer)

    async def lose_answer(self, share: float = 0.0) -> None:
        """Carry out, send that share of the answer's body and reset the connection."""
        head, whole = await self.carry_out()
        self.sent.fate = Fate.LOST
        if share:
            head.drop("transfer-encoding")
            head.put("content-length", str(len(whole)))
            self._writer.write(head.encode() + whole[: int(len(whole) * share)])
            await self._writer.drain()
        self.reset()

    async def replace_answer(self, status: int, message: str) -> None:
        """Carry out, and answer something else, as a load balancer does that waited for too long."""
        await self.carry_out()
        self.sent.fate = Fate.LOST
        await self.refuse(status, message)

    async def carry_out(self) -> tuple[Head, bytes]:
        """The server's own answer."""
        head, reader, writer = await self._ask(self.body)
        whole = b"".join([piece async for piece in body_of(reader, head, is_answer=True)])
        await close(writer)
        return head, whole

    async def refuse(
        self, status: int, message: str, reason: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer in the server's place; without a reason in plain text, as what stands before a server does."""
        code = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        text = json.dumps({**code, "reason": reason, "message": message}) if reason else f"{message}\n"
        head = Head(f"HTTP/1.1 {status} -", [("content-type", "application/json" if reason else "text/plain")])
        for name, value in (headers or {}).items():
            head.put(name.lower(), value)
        await self._answer(head, text.encode())

    def reset(self) -> None:
        """End the client's connection as a crash does: with RST and no goodbye."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self.stays_open = False

    async def _ask(self, body: bytes) -> tuple[Head, asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._connect()
        if body or self.verb in ("POST", "PUT", "PATCH"):
            self.head.put("content-length", str(len(body)))
        if not self.is_stream:
            self.head.put("connection", "close")
        writer.write(self.head.encode() + body)
        await writer.drain()
        head = await read_head(reader)
        if head is None:
            raise ConnectionError("the server hung up")
        self.sent.status = head.status
        head.drop("connection")
        if head.status == 101:
            head.put("connection", "upgrade")
        return head, reader, writer

    async def _answer(self, head: Head, whole: bytes) -> None:
        head.drop("transfer-encoding")
        head.put("content-length", str(len(whole)))
        self._writer.write(head.encode() + whole)
        await self._writer.drain()

    async def _watch(self, head: Head, reader: asyncio.StreamReader, course: Course) -> None:
        """Each piece as it comes, until the watch's end, the client's, or the fault's."""
        relaying = asyncio.ensure_future(self._relay(head, reader, course))
        gone = asyncio.ensure_future(self._reader.read(1))
        done, _ = await asyncio.wait({relaying, gone}, timeout=course.cut_after, return_when=asyncio.FIRST_COMPLETED)
        for task in (relaying, gone):
            task.cancel()
        await asyncio.wait({relaying, gone})
        if relaying in done:
            relaying.result()
            return
        self.stays_open = False
        whole = course.last_words.endswith(b"\n")
        if course.last_words and not done:
            self._writer.write(framed(head, course.last_words) + (framed(head, b"") if whole else b""))
            await self._writer.drain()
        if not done and not whole:
            self.reset()

    async def _relay(self, head: Head, reader: asyncio.StreamReader, course: Course) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._writer.write(_head_changed(head, course.outward).encode())
        async for piece in body_of(reader, head, is_answer=True):
            if course.stall_after is None or loop.time() - began < course.stall_after:
                loop.call_later(course.delay, _write, self._writer, framed(head, course.outward(piece)))
        if course.stall_after is not None:
            # What stalls does not end either.
            await asyncio.sleep(3600)
        await asyncio.sleep(course.delay)
        self._writer.write(framed(head, b""))
        await self._writer.drain()

    async def _tunnel(
        self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, course: Course
    ) -> None:
        """A websocket: whatever either side says, until one of them ends."""
        self.stays_open = False
        self._writer.write(head.encode())
        pumps = {
            asyncio.ensure_future(_pump(self._reader, writer, course.delay)),
            asyncio.ensure_future(_pump(reader, self._writer, course.delay)),
        }
        done, waiting = await asyncio.wait(pumps, timeout=course.cut_after, return_when=asyncio.FIRST_COMPLETED)
        for pump in waiting:
            pump.cancel()
        await asyncio.wait(pumps)
        if not done:
            self.reset()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        while data := await reader.read(65536):
            if delay:
                loop.call_later(delay, _write, writer, data)
            else:
                writer.write(data)
                await writer.drain()
        await asyncio.sleep(delay)
    except OSError:
        return


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """What comes late may find that its reader has gone."""
    if not writer.is_closing():
        writer.write(data)


def _head_changed(head: Head, change: Change) -> Head:
    """Only the date of an answer is anybody's to change."""
    if date := head.get("date"):
        head.put("date", change(date.encode()).decode())
    return head
