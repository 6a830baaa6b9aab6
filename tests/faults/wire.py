# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 heads and bodies on asyncio's streams, as far as the API server and its clients use them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_PIECE = 65536


@dataclass
class Head:
    """The first line and the headers of a request or an answer; names are in lower case."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str:
        """A header's value, "" where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def put(self, name: str, value: str) -> None:
        """Set a header, in place of what there was of it."""
        self.headers = [(key, old) for key, old in self.headers if key != name] + [(name, value)]

    def drop(self, name: str) -> None:
        self.headers = [(key, value) for key, value in self.headers if key != name]

    @property
    def is_chunked(self) -> bool:
        return self.get("transfer-encoding").lower() == "chunked"

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first.split()[1])

    def encode(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """None where the other side has hung up, or never said a whole head."""
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, OSError):
        return None
    first, *lines = text.rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Head(first, [(name.strip().lower(), value.strip()) for name, _, value in pairs])


async def body_of(reader: asyncio.StreamReader, head: Head, *, is_answer: bool) -> AsyncIterator[bytes]:
    """The pieces of a body as they come, without their framing. ConnectionError when it ends too early."""
    try:
        if head.is_chunked:
            while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                yield await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readuntil(b"\r\n")
        elif head.get("content-length"):
            left = int(head.get("content-length"))
            while left:
                piece = await reader.read(min(left, _PIECE))
                if not piece:
                    raise ConnectionError("the body ended too early")
                left -= len(piece)
                yield piece
        elif is_answer and head.status >= 200 and head.status not in (204, 304):
            while piece := await reader.read(_PIECE):
                yield piece
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the body ended too early") from error


def framed(head: Head, piece: bytes) -> bytes:
    """A piece of a body as the head says that it is sent; an empty one is the end."""
    if head.is_chunked:
        return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    return piece


async def close(writer: asyncio.StreamWriter) -> None:
    """Close, whatever state the other side is in."""
    writer.close()
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 1)
