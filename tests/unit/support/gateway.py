# SPDX-License-Identifier: Apache-2.0
"""A TCP gateway that falls silent and says nothing of it, as a balancer does that has forgotten a connection."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Gateway:
    """Passes bytes on to a local port.

    `forget` silences the connections there are: both sides stay open, and what is sent is taken and lost. ``silent``:
    new ones, too. ``answers``: this number of bytes of the other side's are passed on by each connection, None for all.
    ``latency``: seconds by which each answer is late. ``marks``: how many bytes of answers there were after each piece.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.silent = False
        self.answers: int | None = None
        self.latency = 0.0
        self.opened = 0
        self.passed = 0
        self.marks: list[int] = []
        self._era = 0
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def forget(self) -> None:
        with self._lock:
            self._era += 1

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                with self._lock:
                    self.opened += 1
                    era, answers = self._era, self.answers
                    self._sockets += [near, far]
                for source, sink, limit in ((near, far, None), (far, near, answers)):
                    threading.Thread(target=self._pump, args=(source, sink, era, limit), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, era: int, limit: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self.silent or era != self._era:
                    continue
                data = data if limit is None else data[: max(0, limit - passed)]
                passed += len(data)
                if source.getpeername()[1] == self.target:
                    self.passed += len(data)
                    self.marks.append(self.passed)
                    time.sleep(self.latency)
                sink.sendall(data)
        if not (self.silent or era != self._era):
            with suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
