# SPDX-License-Identifier: Apache-2.0
"""Takes over a client's connection for a stream, below the level at which aiohttp would close it with a close frame."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from emulator.controlplane.subresources.responses import bad_request, dumps, text

PROTOCOL = "plain.kubevirt.io"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HIGH_WATER = 256 * 1024


class RawReader:
    """Receives the client's bytes after the upgrade, in place of aiohttp's own websocket reader."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = False
        self._paused = False
        self._wake = asyncio.Event()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Called by aiohttp; never reports the end of the stream."""
        if data:
            self._parts.append(bytes(data))
            self._size += len(data)
            self._wake.set()
            if self._size > HIGH_WATER and not self._paused:
                self._paused = True
                with contextlib.suppress(RuntimeError):
                    self._transport.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        self._ended = True
        self._wake.set()

    def set_exception(self, *_: object) -> None:
        self.feed_eof()

    async def read(self) -> bytes:
        """The received bytes, or b"" once the client has disconnected."""
        while not self._parts:
            if self._ended or self._transport.is_closing():
                return b""
            self._wake.clear()
            await self._wake.wait()
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            with contextlib.suppress(RuntimeError):
                self._transport.resume_reading()
        return data


class Upgraded(web.StreamResponse):
    """The 101 answer, after which the handler owns the connection."""

    _length_check = False

    def __init__(self, key: str, protocol: str) -> None:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept_of(key)}
        if protocol:
            headers["Sec-WebSocket-Protocol"] = protocol
        super().__init__(status=101, headers=headers)

    async def write_eof(self, data: bytes = b"") -> None:
        """Does nothing: a stream has no end in HTTP."""


class Stream:
    """An upgraded client connection: raw bytes both ways.

    ``left`` is the number of bytes that the client still gets; after them nothing passes either way, and the connection
    stays open. None: no limit.
    """

    def __init__(
        self,
        request: web.Request,
        response: Upgraded,
        writer: AbstractStreamWriter,
        reader: RawReader,
        left: int | None,
    ) -> None:
        self.response = response
        self._request = request
        self._writer = writer
        self._reader = reader
        self._left = left

    async def read(self) -> bytes:
        while data := await self._reader.read():
            if self._left != 0:
                return data
        return b""

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError (or aiohttp's kind of it) when the client has gone."""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if data:
            await self._writer.write(data)

    def hang_up(self) -> None:
        """Ends the TCP connection without a close frame, after the pending output."""
        if self._request.transport is not None:
            self._request.transport.close()


def accept_of(key: str) -> str:
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def handshake_problem(request: web.Request) -> web.Response | None:
    """The answer of gorilla's upgrader to a request that is not a websocket handshake."""
    headers = request.headers
    problem = ""
    if "upgrade" not in _tokens(headers.get("Connection", "")):
        problem = "the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header"
    elif "websocket" not in _tokens(headers.get("Upgrade", "")):
        problem = "the client is not using the websocket protocol: 'websocket' token not found in 'Upgrade' header"
    elif headers.get("Sec-WebSocket-Version") != "13":
        problem = "unsupported version: 13 not found in 'Sec-Websocket-Version' header"
    elif not _is_key(headers.get("Sec-WebSocket-Key", "")):
        problem = (
            "not a websocket handshake: 'Sec-WebSocket-Key' header must be Base64 encoded value of 16-byte in length"
        )
    if not problem:
        return None
    status = bad_request(f"websocket: {problem}").status()
    response = text(400, "Bad Request\n" + dumps(status))
    response.headers["Sec-Websocket-Version"] = "13"
    return response


async def take_over(request: web.Request, answers: int | None = None) -> Stream:
    """Answers 101 and returns the connection, on which ``answers`` bytes reach the client.

    With 0 not even the 101 does: ConnectionResetError once the client has gone.
    """
    if answers == 0:
        await _leave_unanswered(request)
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    protocol = PROTOCOL if PROTOCOL in [part.strip() for part in offered.split(",")] else ""
    response = Upgraded(request.headers["Sec-WebSocket-Key"], protocol)
    writer = await response.prepare(request)
    transport = request.transport
    if writer is None or transport is None:
        raise ConnectionResetError("the client has gone")
    reader = RawReader(transport)
    # aiohttp passes bytes of an upgraded connection to the parser that is set.
    cast(Any, request.protocol).set_parser(reader)
    return Stream(request, response, writer, reader, answers)


async def _leave_unanswered(request: web.Request) -> None:
    if request.transport is not None:
        reader = RawReader(request.transport)
        cast(Any, request.protocol).set_parser(reader)
        while await reader.read():
            pass
    raise ConnectionResetError("the client has gone")


def _tokens(header: str) -> set[str]:
    return {part.strip().lower() for part in header.split(",")}


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
