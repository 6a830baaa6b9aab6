# SPDX-License-Identifier: Apache-2.0
"""Websocket frames (RFC 6455). A library would close connections with a handshake that virt-api leaves out."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
# virt-api copies through a buffer of this size and ends a message with an empty frame when it was full.
COPY_BUFFER = 32 * 1024
LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    final: bool = True


class FrameError(Exception):
    """The peer violates the protocol."""


def encode(frame: Frame, *, masked: bool = False) -> bytes:
    """Bytes on the wire; a client's frames are masked, a server's are not."""
    first = frame.opcode | (0x80 if frame.final else 0)
    size, flag = len(frame.payload), 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    if not masked:
        return head + frame.payload
    key = os.urandom(4)
    return head + key + mask(frame.payload, key)


def mask(data: bytes, key: bytes) -> bytes:
    """Masks or unmasks: the exclusive or of all bytes at once, as one number."""
    if not data:
        return data
    size = len(data)
    pattern = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


def binary_message(data: bytes) -> bytes:
    """A server's message in virt-api's framing."""
    out = []
    for start in range(0, len(data), COPY_BUFFER):
        part = data[start : start + COPY_BUFFER]
        if len(part) == COPY_BUFFER:
            out.append(encode(Frame(BINARY, part, final=False)) + encode(Frame(CONTINUATION, b"")))
        else:
            out.append(encode(Frame(BINARY, part)))
    return b"".join(out)


def close_frame(code: int | None) -> bytes:
    return encode(Frame(CLOSE, b"" if code is None else struct.pack("!H", code)))


def close_code(frame: Frame) -> int | None:
    """The code of a close frame; None where it carries none."""
    return struct.unpack("!H", frame.payload[:2])[0] if len(frame.payload) >= 2 else None


class Decoder:
    """Takes bytes as they come and gives the frames that are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """FrameError for what is no frame, or one of more than 16 MiB."""
        self._buffer += data
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        size, at = second & 0x7F, 2
        if first & 0x70:
            raise FrameError("reserved bits are set")
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < at + width:
                return None
            size = int.from_bytes(buffer[at : at + width], "big")
            at += width
        if size > LARGEST:
            raise FrameError(f"a frame of {size} bytes")
        key = b""
        if second & 0x80:
            if len(buffer) < at + 4:
                return None
            key = bytes(buffer[at : at + 4])
            at += 4
        if len(buffer) < at + size:
            return None
        payload = bytes(buffer[at : at + size])
        del buffer[: at + size]
        return Frame(first & 0x0F, mask(payload, key) if key else payload, bool(first & 0x80))
