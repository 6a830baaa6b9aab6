# SPDX-License-Identifier: Apache-2.0
"""Netlink messages: encoding, and a request with its answers.

A netlink socket stays in the network namespace in which it was opened, whichever thread uses it later.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLA_F_NESTED = 0x8000
_NLA_TYPE_MASK = 0x3FFF
_SOL_NETLINK = 270
_NETLINK_EXT_ACK = 11
_NLM_F_CAPPED = 0x100
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1
_HEADER = struct.Struct("=IHHII")
_BUFFER = 1 << 18


def attribute(kind: int, value: bytes | str | int) -> bytes:
    """One attribute: bytes as they are, text zero-terminated, numbers as 32 bits in host order."""
    if isinstance(value, str):
        value = value.encode() + b"\0"
    elif isinstance(value, int):
        value = struct.pack("=I", value)
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    return attribute(kind | _NLA_F_NESTED, b"".join(attributes))


def attributes_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and value of each attribute in ``data``."""
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind & _NLA_TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


class Netlink:
    """A netlink socket in the namespace of the thread that makes it; requests may come from any thread."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._socket.settimeout(10)
        self._lock = threading.Lock()
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def request(self, kind: int, body: bytes, flags: int = 0) -> list[tuple[int, bytes]]:
        """Sends one request; the answers as (kind, body). OSError carries the kernel's errno and words."""
        with self._lock:
            sequence = self._next()
            self._socket.send(self._message(kind, body, flags | NLM_F_REQUEST | NLM_F_ACK, sequence))
            return list(self._answers({sequence}))

    def transaction(self, messages: list[tuple[int, bytes, int]]) -> None:
        """Sends several messages (kind, body, flags) as one datagram; those with NLM_F_ACK are waited for."""
        with self._lock:
            data, awaited = b"", set()
            for kind, body, flags in messages:
                sequence = self._next()
                data += self._message(kind, body, flags | NLM_F_REQUEST, sequence)
                if flags & NLM_F_ACK:
                    awaited.add(sequence)
            self._socket.send(data)
            for _ in self._answers(awaited):
                pass

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    @staticmethod
    def _message(kind: int, body: bytes, flags: int, sequence: int) -> bytes:
        message = _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body
        return message + bytes(-len(message) % 4)

    def _answers(self, awaited: set[int]) -> Iterator[tuple[int, bytes]]:
        failure: OSError | None = None
        while awaited:
            data = self._socket.recv(_BUFFER)
            offset = 0
            while offset + _HEADER.size <= len(data):
                length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
                body = data[offset + _HEADER.size : offset + length]
                offset += (length + 3) & ~3
                if kind == _NLMSG_ERROR:
                    failure = failure or _failure(body, flags)
                    # The messages of one datagram succeed or fail together.
                    awaited = set() if failure else awaited - {sequence}
                elif kind == _NLMSG_DONE:
                    awaited = awaited - {sequence}
                elif sequence in awaited:
                    yield kind, body
        if failure:
            raise failure


def _failure(body: bytes, flags: int) -> OSError | None:
    number = -struct.unpack_from("=i", body)[0]
    if not number:
        return None
    words = os.strerror(number)
    if flags & _NLM_F_ACK_TLVS:
        request_length = struct.unpack_from("=I", body, 4)[0]
        skip = 4 + (_HEADER.size if flags & _NLM_F_CAPPED else request_length)
        for kind, value in attributes_of(body[(skip + 3) & ~3 :]):
            if kind == _NLMSGERR_ATTR_MSG:
                words = f"{words} ({value.rstrip(bytes(1)).decode(errors='replace')})"
    return OSError(number, words)
