# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy that tunnels (CONNECT), for tests: it records the addresses asked for, and can require a login."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer


@dataclass
class ConnectProxy:
    """``asked`` has the host and port of each tunnel that was made, ``refused`` counts those without the login.

    ``names`` are hosts that the proxy alone knows, and their addresses.
    """

    port: int
    login: str = ""
    names: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def url(self) -> str:
        """With the login where one is wanted."""
        return f"http://{self.login + '@' if self.login else ''}127.0.0.1:{self.port}"


@contextmanager
def connect_proxy(login: str = "") -> Iterator[ConnectProxy]:
    """A proxy on this machine; ``login`` is ``user:password``."""
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            method, target, _ = self.rfile.readline().decode().split()
            headers = dict(line.split(": ", 1) for line in iter(lambda: self.rfile.readline().decode().strip(), ""))
            given = {name.lower(): value for name, value in headers.items()}.get("proxy-authorization", "")
            if method != "CONNECT" or given != wanted:
                proxy.refused += 1
                self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            proxy.asked.append(target)
            host, _, port = target.rpartition(":")
            with suppress(OSError), socket.create_connection((proxy.names.get(host, host), int(port))) as server:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(server, self.connection), daemon=True)
                back.start()
                pump(self.connection, server)
                back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy = ConnectProxy(server.server_address[1], login)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
