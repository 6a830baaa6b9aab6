# SPDX-License-Identifier: Apache-2.0
"""One command on one SSH channel, within its time limit at each step."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from livenad.guest.shells import CommandLost, CommandTimeout, Deadline, shorten
from livenad.guest.ssh_session import LoginRefused, SshSession, reason_of
from livenad.guest.watchdog import WATCHDOG
from livenad.text import human

if TYPE_CHECKING:
    import paramiko

LOCATION_CHECK = 0.5
"""Seconds between looks at where the guest runs: the stream may stay open, and silent, where it was."""

MOVE_GRACE = 3.0
"""Seconds for what the old place may still have to say."""

LONGEST_REQUEST = 8000
"""Bytes of a command in its request; Dropbear ends the connection at some 9,000. A longer one goes by its input."""

_BY_INPUT = 'eval "$(cat)"'

_NOT_REPEATED = "is not repeated, since it may have had its effect"
_NO_PASSWORD_CHANGE = b"Password change required but no TTY available"


class SshCommand:
    """``moved()`` tells whether the guest runs elsewhere than when the session was made."""

    def __init__(
        self, name: str, session: SshSession, channel: paramiko.Channel, command: str, moved: Callable[[], bool]
    ) -> None:
        self._name = name
        self._session = session
        self._channel = channel
        self._command = command
        self._moved = moved
        self._out = bytearray()
        self._err = bytearray()
        self._arrived = threading.Event()

    def run(self, deadline: Deadline) -> tuple[int, bytes, bytes]:
        """Exit status, output and error output. CommandLost, CommandTimeout; LoginRefused when nothing was run."""
        for pipe in (self._channel.in_buffer, self._channel.in_stderr_buffer):
            pipe.set_event(self._arrived)
        try:
            # The confirmation of a command is waited for without a limit, and so is the end of a key exchange.
            with WATCHDOG.limit(deadline.left + 0.5, self._channel.close, self._session.abort):
                self._send(deadline)
                self._collect(deadline)
                return self._result(deadline)
        finally:
            # Closing an already broken channel has nothing left to say.
            with WATCHDOG.limit(2.0, self._session.abort), contextlib.suppress(Exception):
                self._channel.close()

    def _send(self, deadline: Deadline) -> None:
        self._channel.settimeout(max(0.001, deadline.left))
        try:
            command = self._command.encode()
            if len(command) <= LONGEST_REQUEST:
                self._channel.exec_command(self._command)
            else:
                self._channel.exec_command(_BY_INPUT)
                self._channel.sendall(command)
            self._channel.shutdown_write()
        except Exception as error:
            why = f"the connection broke when it was sent: {reason_of(error, logged_in=True)}"
            if deadline.passed:
                why = f"not confirmed within {human(deadline.seconds)}; {self._session.stream.silence()}"
            raise CommandLost(f"{self._name}: {shorten(self._command)}: {why}", f"it {_NOT_REPEATED}") from None

    def _collect(self, deadline: Deadline) -> None:
        """Reads until the end of output. Whether that has come is looked at before the last bytes are taken."""
        grace: Deadline | None = None
        while True:
            self._arrived.clear()
            ended = self._channel.eof_received or self._channel.closed
            if self._take():
                grace = None
                if ended or not deadline.passed:
                    continue
            elif ended or self._channel.eof_received or self._channel.closed:
                if ended:
                    return
                continue
            elif self._arrived.wait(deadline.slice(LOCATION_CHECK)):
                continue
            if deadline.passed:
                raise CommandTimeout(
                    f"{self._name}: {shorten(self._command)} did not end within {human(deadline.seconds)}; "
                    f"last output: {_text(bytes(self._out[-300:])).strip() or 'none'}; {self._session.stream.silence()}"
                )
            if grace is None and self._moved():
                grace = Deadline(deadline.slice(MOVE_GRACE))
            if grace is not None and grace.passed:
                raise CommandLost(
                    f"{self._name}: the guest moved while {shorten(self._command)} ran, and the connection to where it "
                    "was is silent",
                    f"the command {_NOT_REPEATED}",
                )

    def _take(self) -> bool:
        took = False
        if self._channel.recv_ready():
            self._out += self._channel.recv(1 << 16)
            took = True
        if self._channel.recv_stderr_ready():
            self._err += self._channel.recv_stderr(1 << 16)
            took = True
        return took

    def _result(self, deadline: Deadline) -> tuple[int, bytes, bytes]:
        channel = self._channel
        if not channel.status_event.wait(min(deadline.left, 2.0)) or channel.exit_status < 0:
            raise CommandLost(
                f"{self._name}: the connection broke, or a signal ended the command, while {shorten(self._command)} "
                "ran",
                f"it {_NOT_REPEATED}",
            )
        if channel.exit_status == 1 and _NO_PASSWORD_CHANGE in self._err:
            raise LoginRefused(
                f"{self._name}: the user's password has expired, and the SSH server runs nothing until it is changed; "
                "give the image's user a password that does not expire (cloud-init: chpasswd, expire: false)"
            )
        return channel.exit_status, bytes(self._out), bytes(self._err)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
