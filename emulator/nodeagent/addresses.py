# SPDX-License-Identifier: Apache-2.0
"""Where the nodes listen: a loopback address for each, with the ports that real clients dial without asking."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)
CONSOLE_PORT, KUBELET_PORT = 8186, 10250
FIRST_HOST = 11
TRIES = 64


@dataclass(frozen=True)
class NodeSockets:
    """Listening sockets of one node: of virt-handler's console server and of the kubelet."""

    console: socket.socket
    kubelet: socket.socket

    def close(self) -> None:
        self.console.close()
        self.kubelet.close()


def open_sockets(nodes: Sequence[str]) -> dict[str, NodeSockets]:
    """All nodes on addresses of one network: the first one that no other agent on this machine uses.

    Where something listens on all addresses, such as a real kubelet, that one port is another; clients that ask the
    API for it still find it.
    """
    taken: OSError | None = None
    for network in _networks():
        try:
            return _open(nodes, network, (CONSOLE_PORT, KUBELET_PORT))
        except OSError as error:
            taken = error
    for ports in ((CONSOLE_PORT, 0), (0, KUBELET_PORT), (0, 0)):
        with contextlib.suppress(OSError):
            found = _open(nodes, next(_networks()), ports)
            log.warning("not on the usual ports: %s", taken)
            return found
    raise OSError(f"no loopback addresses for the nodes: {taken}")


def _networks() -> Iterator[str]:
    """The usual one first, so that a restarted agent has the addresses of before; then others in an order of chance."""
    yield "127.0.0"
    start = os.getpid()
    for number in range(TRIES):
        yield f"127.{1 + (start // 251 + number) % 250}.{(start + number) % 251}"


def _open(nodes: Sequence[str], network: str, ports: tuple[int, int]) -> dict[str, NodeSockets]:
    found: dict[str, NodeSockets] = {}
    try:
        for number, node in enumerate(nodes):
            address = f"{network}.{FIRST_HOST + number}"
            console = _listening(address, ports[0])
            try:
                found[node] = NodeSockets(console, _listening(address, ports[1]))
            except OSError:
                console.close()
                raise
    except OSError:
        for sockets in found.values():
            sockets.close()
        raise
    return found


def _listening(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(64)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening
