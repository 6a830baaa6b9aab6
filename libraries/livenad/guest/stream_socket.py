# SPDX-License-Identifier: Apache-2.0
"""A byte stream in the shape of a socket, as paramiko wants it."""

from __future__ import annotations

from livenad.guest.streams import StreamClosed, WebSocketStream


class StreamSocket:
    """Socket-like view of a stream: the few calls that paramiko makes, with a socket's exceptions."""

    def __init__(self, stream: WebSocketStream) -> None:
        self._stream = stream
        self._timeout: float | None = None

    @property
    def _closed(self) -> bool:
        """paramiko asks a socket for this very name."""
        return self._stream.closed

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        return self._timeout

    def recv(self, limit: int) -> bytes:
        """b"" at the end of the stream; TimeoutError after the set time."""
        return self._stream.receive_some(limit, self._timeout)

    def send(self, data: bytes) -> int:
        try:
            self._stream.send(bytes(data))
        except StreamClosed as error:
            raise ConnectionResetError(str(error)) from None
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.send(data)

    def getpeername(self) -> tuple[str, int]:
        return (self._stream.name, 0)

    def close(self) -> None:
        self._stream.close()
