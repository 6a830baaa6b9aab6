# SPDX-License-Identifier: Apache-2.0
"""A relay between a client and the API server that counts bytes. TLS passes through it unread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml


@dataclass
class Counted:
    """Bytes on the wire, TLS included; ``connections`` that were opened."""

    sent: int = 0
    received: int = 0
    connections: int = 0


@contextmanager
def counted(kubeconfig: Path, folder: Path) -> Iterator[tuple[Path, Counted]]:
    """A kubeconfig that leads through a relay, and what the relay counts."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    address = urlsplit(cluster["server"])
    target = (str(address.hostname), address.port or 443)
    told = Counted()
    with socket.create_server(("127.0.0.1", 0)) as server:
        cluster["server"] = f"https://127.0.0.1:{server.getsockname()[1]}"
        path = folder / "relayed-kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        threading.Thread(target=_accept, args=(server, target, told), daemon=True).start()
        yield path, told
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, target: tuple[str, int], told: Counted) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            upstream = socket.create_connection(target)
            told.connections += 1
            for one, other, name in ((client, upstream, "sent"), (upstream, client, "received")):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pump, args=(one, other, told, name), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, told: Counted, name: str) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
            setattr(told, name, getattr(told, name) + len(data))
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
