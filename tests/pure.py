# SPDX-License-Identifier: Apache-2.0
"""A plugin of pytest for the quick lane: a test that starts a process or listens on a port fails there.

Such tests are slow or depend on the machine. ``tests/quick.args`` leaves them out; this finds those that it forgot.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Generator
from typing import Any, NoReturn

import pytest


class NotPure(Exception):
    """A test of the quick lane does what none of them may do."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Refuses processes and listening sockets while one test runs, its fixtures included."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotPure(
            f"{item.location[0]} starts a process or listens on a port: leave it out of the quick lane by a line "
            f"--ignore={item.location[0]} in tests/quick.args"
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", refuse)
        # What was never started is not ended either.
        patch.setattr(subprocess.Popen, "__del__", lambda _: None)
        patch.setattr(socket.socket, "listen", refuse)
        return (yield)
