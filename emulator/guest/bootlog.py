# SPDX-License-Identifier: Apache-2.0
"""The guest's output on its serial line during boot and shutdown."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

_GREEN, _BOLD, _RED, _PLAIN = "\x1b[0;32m", "\x1b[0;1;39m", "\x1b[0;1;31m", "\x1b[0m"


class BootLog:
    """Lines on the serial line; never waits for a client that has stopped reading."""

    def __init__(self, line: str) -> None:
        self._line = os.open(line, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)

    def text(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._line, text.encode())

    def kernel(self, message: str) -> None:
        self.text(f"[{_uptime():12.6f}] {message}\n")

    def unit(self, verb: str, unit: str, description: str) -> None:
        """A line of the service manager, which writes its own line ends and sets the terminal accordingly."""
        self.text(f"[{_GREEN}  OK  {_PLAIN}] {verb} {_BOLD}{unit}{_PLAIN} - {description}.\r\n")

    def failed(self, unit: str, description: str) -> None:
        self.text(f"[{_RED}FAILED{_PLAIN}] Failed to start {_BOLD}{unit}{_PLAIN} - {description}.\r\n")

    def cloud_init(self, message: str) -> None:
        self.text(f"[{_uptime():12.6f}] cloud-init[1]: {message}\n")

    def start(self, hostname: str) -> None:
        system = os.uname()
        self.kernel(f"Linux version {system.release} ({system.machine}), guest of the embedded cluster")
        self.kernel("Command line: console=ttyS0 (namespaces, no virtual machine)")
        self.kernel(f"init[1]: Hostname set to <{hostname}>.")

    def network(self, rows: Iterable[str]) -> None:
        for row in rows:
            self.cloud_init(f"ci-info: {row}")


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
