# SPDX-License-Identifier: Apache-2.0
"""Messages between the data plane and a guest's processes: JSON objects, with file descriptors if needed.

The channel is the guest's "hardware": the virtual machine's agent port and its power button. In the guest only process
1 can reach it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

# A packet must fit the socket's buffer; larger output is sent in pieces.
PIECE = 48 * 1024
_PACKET = 256 * 1024

Message = dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(end: socket.socket, message: Message, descriptors: tuple[int, ...] = ()) -> None:
    """Sends one message; OSError if the other end is closed."""
    data = json.dumps(message).encode()
    if descriptors:
        socket.send_fds(end, [data], list(descriptors))
    else:
        end.send(data)


def receive(end: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message and its file descriptors; None if the other end is closed."""
    try:
        data, descriptors, _, _ = socket.recv_fds(end, _PACKET, 4, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return None
    return (json.loads(data), descriptors) if data else None


def listen(end: socket.socket, on_message: Callable[[Message, list[int]], None], on_end: Callable[[], None]) -> None:
    """Delivers messages from the running event loop until the other end is closed."""
    loop = asyncio.get_running_loop()
    end.setblocking(False)

    def ready() -> None:
        try:
            received = receive(end)
        except BlockingIOError:
            return
        if received is None:
            loop.remove_reader(end.fileno())
            on_end()
        else:
            on_message(*received)

    loop.add_reader(end.fileno(), ready)
