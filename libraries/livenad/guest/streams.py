# SPDX-License-Identifier: Apache-2.0
"""Byte streams into a guest over the subresources ``console`` and ``portforward`` of a VMI."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import Any, Protocol

from livenad.api.bounded import within
from livenad.api.connection import StreamOptions
from livenad.api.pool import TCP_OPTIONS
from livenad.api.refusals import remedy_of
from livenad.errors import LabError
from livenad.text import human

SUBRESOURCES = "apis/subresources.kubevirt.io/v1"
SUBPROTOCOL = "plain.kubevirt.io"

_WRITE_TIMEOUT = 15.0
"""Seconds that the other side may take nothing before a write gives up."""

_READ_SLICE = 0.05
"""Seconds to wait for the rest of a frame before looking at what is to be sent; half a frame read is kept."""

PING_SECONDS = 3.0
"""Seconds of silence after which the other side of a stream is asked whether it is still there."""

_CONSOLE_KEEP = 8 << 20
"""Bytes of console output kept until they are read."""

_SEND_LIMIT = 1 << 20
"""Bytes that may wait to be written before ``send`` blocks."""


_SHORTEST_OPENING = 0.01
"""Seconds; with none at all a socket does not wait, and calls that an error."""


class StreamRefused(LabError):
    """The API answered the connection request with something other than a websocket; ``status`` is its HTTP code."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class StreamSilent(StreamRefused):
    """Nobody answered the connection request in time."""


class StreamClosed(LabError):
    """The stream ended: the guest moved to another node, went away, or another client took its console."""


class ByteStream(Protocol):
    """Bytes to and from a guest. Every call keeps its own time limit, since a dead peer announces nothing."""

    @property
    def closed(self) -> bool: ...

    def send(self, data: bytes) -> None:
        """StreamClosed when the stream has ended; TimeoutError when the other side takes nothing for 15 s."""
        ...

    def receive(self, timeout: float) -> bytes:
        """Some bytes, or b"" at the stream's end. TimeoutError after ``timeout`` seconds of silence."""
        ...

    def silence(self) -> str:
        """Which side has been silent, and for how long."""
        ...

    def close(self) -> None: ...


class WebSocketStream:
    """One websocket, read all the time by a thread of its own.

    A console client that does not read stops the guest, and virt-api cuts a port-forward client that answers no ping:
    so reading cannot wait for the caller. One thread does both directions, since two may not share a TLS connection.
    ``keep`` is how many unread bytes are kept, the newest ones; 0 keeps all. A quiet stream is pinged, to tell a silent
    guest from a silent API server; some servers answer no ping.
    """

    def __init__(self, websocket: Any, name: str, keep: int = 0) -> None:
        self.name = name
        self._keep = keep
        self._websocket = websocket
        self._received = bytearray()
        self._outgoing: list[bytes] = []
        self._outgoing_size = 0
        self._state = threading.Condition()
        self._ended = False
        self._closing = False
        self._aborted = False
        self._heard_at = self._data_at = self._pinged_at = time.monotonic()
        self._answers_pings = False
        self._pings = 0
        self._wake_read, self._wake_write = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for one in (websocket.sock, self._wake_read):
            self._selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name=f"stream {name}", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._ended

    def send(self, data: bytes) -> None:
        deadline = time.monotonic() + _WRITE_TIMEOUT
        with self._state:
            while self._outgoing_size > _SEND_LIMIT and not (self._ended or self._closing):
                if not self._state.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"{self.name}: nothing was taken for {_WRITE_TIMEOUT:.0f} s")
            if self._ended or self._closing:
                raise StreamClosed(f"{self.name}: the connection has ended")
            self._outgoing.append(data)
            self._outgoing_size += len(data)
        self._wake()

    def receive(self, timeout: float) -> bytes:
        with self._state:
            if not self._state.wait_for(lambda: self._received or self._ended, max(0.0, timeout)):
                raise TimeoutError(f"{self.name}: silent for {timeout:.1f} s")
            data = bytes(self._received)
            self._received.clear()
            return data

    def receive_some(self, limit: int, timeout: float | None) -> bytes:
        """Like ``receive``, but at most ``limit`` bytes, the rest kept; None waits for ever."""
        with self._state:
            if not self._state.wait_for(lambda: self._received or self._ended, timeout):
                raise TimeoutError(f"{self.name}: silent for {timeout:.1f} s")
            data = bytes(self._received[:limit])
            del self._received[:limit]
            return data

    def silence(self) -> str:
        now = time.monotonic()
        with self._state:
            heard, data = now - self._heard_at, now - self._data_at
            if self._ended and not self._aborted:
                return "the connection to the API server has ended"
            if self._answers_pings and heard > 2 * PING_SECONDS:
                return f"the API server, or a gateway before it, was silent: it answered no ping for {human(heard)}"
            if self._answers_pings:
                return f"the guest was silent for {human(data)}: the API server answers"
            return f"nothing came from the guest or the API server for {human(data)}"

    def abort(self) -> None:
        """End the stream now, whatever it waits for."""
        with self._state:
            self._aborted = not self._ended
            self._closing = self._ended = True
            self._state.notify_all()
        transport = self._websocket.sock
        if transport is not None:
            with contextlib.suppress(OSError):
                # the plain socket's method: that of a TLS socket drops its state under the reader's feet
                socket.socket.shutdown(transport, socket.SHUT_RDWR)
        self._wake()

    def close(self) -> None:
        with self._state:
            self._closing = True
            self._state.notify_all()
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b"\0")

    def _serve(self) -> None:
        try:
            # Whatever ends the connection is the same to its user: no close frame ever comes from the server.
            with contextlib.suppress(Exception):
                while self._serve_once():
                    pass
        finally:
            with self._state:
                self._ended = True
                self._state.notify_all()
            with contextlib.suppress(Exception):
                self._websocket.shutdown()
            self._selector.close()
            self._wake_read.close()
            self._wake_write.close()

    def _serve_once(self) -> bool:
        transport = self._websocket.sock
        pending = getattr(transport, "pending", None)
        if not (pending and pending()):
            ready = {key.fileobj for key, _ in self._selector.select(PING_SECONDS)}
            if self._wake_read in ready:
                self._wake_read.recv(4096)
                if not self._flush():
                    return False
            self._ping_if_quiet()
            if transport not in ready:
                return True
        return self._read_frame()

    def _ping_if_quiet(self) -> None:
        now = time.monotonic()
        if self._pings and now - max(self._heard_at, self._pinged_at) < PING_SECONDS:
            return
        self._pinged_at = now
        self._pings += 1
        self._websocket.settimeout(_WRITE_TIMEOUT)
        self._websocket.ping()

    def _flush(self) -> bool:
        while True:
            with self._state:
                data = b"".join(self._outgoing)
                self._outgoing.clear()
                self._outgoing_size = 0
                self._state.notify_all()
                closing = self._closing
            self._websocket.settimeout(_WRITE_TIMEOUT)
            if data:
                self._websocket.send_binary(data)
            elif closing:
                self._websocket.send_close()
                return False
            else:
                return True

    def _read_frame(self) -> bool:
        import websocket  # noqa: PLC0415 -- importing a keyword library must stay cheap

        self._websocket.settimeout(_READ_SLICE)
        try:
            opcode, data = self._websocket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return True
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return False
        with self._state:
            self._heard_at = time.monotonic()
            if opcode == websocket.ABNF.OPCODE_PONG:
                self._answers_pings = True
            if opcode == websocket.ABNF.OPCODE_BINARY and data:
                self._data_at = self._heard_at
                self._received += data
                if self._keep and len(self._received) > self._keep:
                    del self._received[: -self._keep]
                self._state.notify_all()
        return True


def open_console(options: StreamOptions, namespace: str, vmi: str, timeout: float) -> WebSocketStream:
    """The serial console of a running VMI. It takes the console from its present user, and nothing comes by itself."""
    return _open(options, namespace, vmi, "console", timeout, keep=_CONSOLE_KEEP)


def open_port_forward(options: StreamOptions, namespace: str, vmi: str, port: int, timeout: float) -> WebSocketStream:
    """A TCP connection to a port of the guest through its pod network."""
    return _open(options, namespace, vmi, f"portforward/{port}", timeout)


def _open(
    options: StreamOptions, namespace: str, vmi: str, subresource: str, timeout: float, *, keep: int = 0
) -> WebSocketStream:
    """StreamRefused with the HTTP status when the API declines, StreamSilent without an answer within ``timeout``."""
    import websocket  # noqa: PLC0415 -- importing a keyword library must stay cheap

    timeout = max(timeout, _SHORTEST_OPENING)
    path = f"{SUBRESOURCES}/namespaces/{namespace}/virtualmachineinstances/{vmi}/{subresource}"
    name = f"{subresource} of VMI {namespace}/{vmi}"

    def create() -> Any:
        return websocket.create_connection(
            f"{options.base_url}/{path}",
            timeout=timeout,
            subprotocols=[SUBPROTOCOL],
            suppress_origin=True,
            redirect_limit=0,
            enable_multithread=True,
            sockopt=TCP_OPTIONS,
            http_proxy_timeout=timeout,
            **options.websocket_arguments(),
        )

    try:
        # Its limit is one for each step, and none for the look-up of the server's name.
        client = within(timeout, create, lambda late: late.shutdown())
    except websocket.WebSocketBadStatusException as error:
        said = _message_of(bytes(error.resp_body or b"").decode(errors="replace").strip())
        remedy = f"; {known}" if (known := remedy_of(said)) else ""
        raise StreamRefused(f"{name}: the API answered {error.status_code} {said}{remedy}", error.status_code) from None
    except Exception as error:  # of sockets, of TLS, of the websocket, and of a proxy's own kind
        proxy = f" (through the proxy {options.proxy.host}:{options.proxy.port})" if options.proxy else ""
        if not _is_timeout(error, websocket.WebSocketTimeoutException):
            raise StreamRefused(f"{name}: cannot be opened{proxy}: {error}") from error
        raise StreamSilent(
            f"{name}: the API server {options.base_url}{proxy} was silent: it opened no stream within {human(timeout)}"
        ) from None
    return WebSocketStream(client, name, keep)


def _is_timeout(error: BaseException | None, *kinds: type[BaseException]) -> bool:
    """Whether it began with a timeout: proxies' clients raise errors of their own in its place."""
    while error is not None:
        if isinstance(error, (TimeoutError, *kinds)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _message_of(body: str) -> str:
    """The message of a Kubernetes ``Status``, or the first line of a plain answer."""
    import json  # noqa: PLC0415 -- only a refusal needs it

    with contextlib.suppress(ValueError, TypeError, KeyError):
        return str(json.loads(body)["message"])
    return body.splitlines()[0][:300] if body else ""
