# SPDX-License-Identifier: Apache-2.0
"""A SOCKS5 proxy without a login, for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

from tests.connect_proxy import pump

_NO_LOGIN, _CONNECTED = b"\x05\x00", b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"
_IPV4, _NAME = 1, 3


class _Handler(StreamRequestHandler):
    def handle(self) -> None:
        with suppress(OSError, IndexError):
            self.rfile.read(self.rfile.read(2)[1])
            self.wfile.write(_NO_LOGIN)
            kind = self.rfile.read(4)[3]
            size = {_IPV4: 4, _NAME: 0}[kind] or self.rfile.read(1)[0]
            address = self.rfile.read(size)
            host = socket.inet_ntoa(address) if kind == _IPV4 else address.decode()
            with socket.create_connection((host, int.from_bytes(self.rfile.read(2)))) as server:
                self.wfile.write(_CONNECTED)
                threading.Thread(target=pump, args=(server, self.connection), daemon=True).start()
                pump(self.connection, server)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def socks_proxy() -> Iterator[int]:
    """Gives its port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
