# SPDX-License-Identifier: Apache-2.0
"""Virtual time: a wait returns at once, and the clock moves on by the time waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from livenad.guest import shells
from livenad.guest.console import console_line
from livenad.guest.console import console_shell as console


class VirtualClock:
    """Stands for the module ``time`` in the code under test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """The console's code lives by this clock until the end of the block."""

    class Event:
        """It is never set: the console only uses it to pause."""

        def wait(self, seconds: float) -> bool:
            clock.now += seconds
            return False

    threads = SimpleNamespace(Lock=threading.Lock, Event=Event)
    with (
        patch.object(console, "time", clock),
        patch.object(console_line, "time", clock),
        patch.object(shells, "time", clock),
        patch.object(console, "threading", threads),
    ):
        yield
