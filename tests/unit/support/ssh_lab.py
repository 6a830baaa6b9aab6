# SPDX-License-Identifier: Apache-2.0
"""An SSH server with habits of its own, a port-forward to it, a gateway before that, and a shell through all three."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

import asyncssh
from livenad.api.connection import StreamOptions
from livenad.guest.ssh import SshShell
from livenad.guest.streams import open_port_forward
from livenad.model import GuestLogin

from tests.unit.support.gateway import Gateway
from tests.unit.support.stream_server import LoopThread, SshServer, StreamServer


class SshLab:
    """``node`` is where the guest runs, as the shell sees it."""

    def __init__(
        self, habits: type[asyncssh.SSHServer] = asyncssh.SSHServer, tls: ssl.SSLContext | None = None
    ) -> None:
        self.thread = LoopThread()
        self.ssh = SshServer(self.thread, habits=habits)
        self.streams = StreamServer(self.thread, tls)
        self.streams.target = self.ssh.port
        self.gateway = Gateway(self.streams.port)
        self.node = "node-1"
        self.host_key = self.ssh.host_public_key
        self.shell = self.new_shell()

    def new_shell(self, port: int = 0) -> SshShell:
        """One more shell; ``port`` is another gateway's than the lab's own."""
        options = StreamOptions(f"ws://127.0.0.1:{port or self.gateway.port}", {}, {})
        login = GuestLogin(self.ssh.user, "", self.ssh.private_key, self.host_key)
        return SshShell(
            "demo/web",
            login,
            lambda timeout: open_port_forward(options, "demo", "web", 22, timeout),
            lambda: self.node,
        )

    def __enter__(self) -> SshLab:
        return self

    def __exit__(self, *_: object) -> None:
        self.shell.close()
        self.gateway.__exit__()
        self.streams.stop()
        self.ssh.stop()
        self.thread.stop()


def seconds_of(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
