# SPDX-License-Identifier: Apache-2.0
"""SSH to a guest over the port-forward subresource of its VMI."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from livenad.errors import LabError
from livenad.guest import ssh_session
from livenad.guest.shells import (
    DEFAULT_TIMEOUT,
    CommandLost,
    CommandTimeout,
    Deadline,
    GuestUnreachable,
    bare,
    checked,
)
from livenad.guest.ssh_command import SshCommand
from livenad.guest.ssh_session import RETRY_PAUSE, HostKeyMismatch, LoginRefused, SshSession, reason_of
from livenad.guest.streams import WebSocketStream
from livenad.model import CommandResult, GuestLogin
from livenad.secret_text import remember
from livenad.text import human

if TYPE_CHECKING:
    import paramiko

__all__ = ["HostKeyMismatch", "LoginRefused", "SshShell"]

ATTEMPT_TIMEOUT = 8.0
"""Seconds for the first attempt to connect, key exchange and login included; one that was cut short doubles them."""

CHECK_TIMEOUT = 3.0
"""Seconds in which a session that was good before must open a channel, or it is replaced; more where it was slow."""

IDLE_LIMIT = 5.0
"""Seconds of disuse after which a session's health is doubtful: a dead peer announces nothing."""


class SshShell:
    """One standing SSH session to a guest; each command is a channel of it, so commands may run side by side.

    ``connect(timeout)`` opens the byte stream to port 22. ``location()`` names where the guest runs now: a session made
    elsewhere is dropped before it is used, because the forwarded connection dies when the guest moves.
    """

    def __init__(
        self,
        name: str,
        login: GuestLogin,
        connect: Callable[[float], WebSocketStream],
        location: Callable[[], str | None] = lambda: None,
    ) -> None:
        remember(login.password, login.private_key)
        self._guest = name
        self._login = login
        self._connect = connect
        self._location = location
        self._lock = threading.Lock()
        self._current: SshSession | None = None
        self._channels = 0
        self._freed = threading.Condition()
        self._last_good = 0.0

    @property
    def name(self) -> str:
        return f"guest {self._guest} over SSH"

    def prepare(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        """A session that has just been seen to work; makes a new one where that fails."""
        deadline = Deadline(timeout)
        self._session(deadline)
        if time.monotonic() - self._last_good >= IDLE_LIMIT:
            # Any channel that opens proves the peer alive; paramiko itself counts no missing answers.
            with self._channel(deadline):
                pass

    def run(
        self, command: str, timeout: float = DEFAULT_TIMEOUT, *, check: bool = True, repeatable: bool = False
    ) -> CommandResult:
        deadline = Deadline(timeout)
        started = time.monotonic()
        failures = _Failures(self.name)
        while True:
            with self._channel(deadline, failures) as (session, channel):
                # A session may hang without an end; half of the time is left for a new one.
                patience = Deadline(deadline.slice(timeout / 2)) if repeatable else deadline
                moved = lambda session=session: self._moved(session)  # noqa: E731
                try:
                    code, out, err = SshCommand(self.name, session, channel, command, moved).run(patience)
                except (CommandLost, CommandTimeout) as error:
                    if isinstance(error, CommandTimeout):
                        self._last_good = 0.0
                    if repeatable or isinstance(error, CommandLost):
                        self._drop(session)
                    if not repeatable:
                        raise
                    failures.add(error, patience.seconds)
                    if deadline.passed:
                        raise failures.weightiest from None
                    continue
            self._last_good = time.monotonic()
            seconds = time.monotonic() - started
            result = CommandResult(command, code, _text(out), _text(err), seconds)
            return checked(result, self.name, check)

    def close(self) -> None:
        session, self._current = self._current, None
        if session is not None:
            session.close()

    def _moved(self, session: SshSession) -> bool:
        return self._location() not in (None, session.place)

    def _session(self, deadline: Deadline) -> SshSession:
        """The standing session where it was not seen to be unfit, else a new one. GuestUnreachable at the deadline."""
        if not self._lock.acquire(timeout=deadline.left):
            raise GuestUnreachable(f"{self.name}: another command has tried to connect for {human(deadline.seconds)}")
        try:
            session = self._current
            if session is not None:
                if session.is_active and not self._moved(session):
                    return session
                self._drop(session)
            session = ssh_session.connect(
                self.name,
                self._login,
                self._connect,
                self._location,
                deadline=deadline,
                first_limit=ATTEMPT_TIMEOUT,
            )
            self._current = session
            self._last_good = time.monotonic()
            return session
        finally:
            self._lock.release()

    @contextmanager
    def _channel(
        self, deadline: Deadline, failures: _Failures | None = None
    ) -> Iterator[tuple[SshSession, paramiko.Channel]]:
        """A channel on a session that works; no command has been sent yet, so trying again is safe."""
        session, channel = self._open_channel(deadline, failures or _Failures(self.name))
        with self._freed:
            self._channels += 1
        try:
            yield session, channel
        finally:
            with self._freed:
                self._channels -= 1
                self._freed.notify_all()

    def _open_channel(self, deadline: Deadline, failures: _Failures) -> tuple[SshSession, paramiko.Channel]:
        import paramiko  # noqa: PLC0415 -- importing a keyword library must stay cheap

        while True:
            began = deadline.left
            try:
                session = self._session(Deadline(deadline.left) if failures.some else deadline)
            except (HostKeyMismatch, LoginRefused):
                raise
            except GuestUnreachable as error:
                raise failures.before(error) from None
            try:
                channel = session.open_channel(deadline.slice(_patience_with(session, deadline)))
            except paramiko.SSHException as error:
                if not _is_refusal(error, session):
                    self._give_up(session, error, deadline, failures, began)
                    continue
                # A server that refuses lives, and so do the commands that run on this session.
                self._last_good = time.monotonic()
                if deadline.left <= RETRY_PAUSE:
                    raise GuestUnreachable(
                        f"{self.name}: the SSH server opens no further session ({error}) while "
                        f"{self._channels} of ours are open; its MaxSessions may be as low as that"
                    ) from None
                with self._freed:
                    self._freed.wait(deadline.slice(1.0 if self._channels else RETRY_PAUSE))
            except Exception as error:
                self._give_up(session, error, deadline, failures, began)
            else:
                self._last_good = time.monotonic()
                return session, channel

    def _give_up(
        self, session: SshSession, error: Exception, deadline: Deadline, failures: _Failures, began: float
    ) -> None:
        """Another session is tried, while there is time."""
        silence = session.stream.silence()
        self._drop(session)
        reason = reason_of(error, logged_in=True)
        told = GuestUnreachable(f"{self.name}: the session takes no command: {reason}; {silence}")
        if deadline.passed:
            raise failures.before(told) from None
        failures.add(told, began - deadline.left)

    def _drop(self, session: SshSession) -> None:
        if session is self._current:
            self._current = None
        session.abort()


class _Failures:
    """What went wrong with the sessions before: the one that had most time tells most."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[tuple[float, LabError]] = []

    def add(self, error: LabError, seconds: float) -> None:
        self._found.append((seconds, error))

    @property
    def some(self) -> bool:
        return bool(self._found)

    @property
    def weightiest(self) -> LabError:
        return max(self._found, key=lambda found: found[0])[1]

    def before(self, error: GuestUnreachable) -> GuestUnreachable:
        """The error at the end, after what has led to it."""
        if not self._found:
            return error
        cause = self.weightiest
        told = cause.happened if isinstance(cause, CommandLost) else bare(cause)
        return GuestUnreachable(f"{told}; then {bare(error).removeprefix(f'{self._name}: ')}")


def _is_refusal(error: paramiko.SSHException, session: SshSession) -> bool:
    """Whether the server said no. Of several refusals in parallel paramiko tells one alone as what it is."""
    import paramiko  # noqa: PLC0415

    return isinstance(error, paramiko.ChannelException) or (
        session.is_active and str(error) == "Unable to open channel."
    )


def _patience_with(session: SshSession, deadline: Deadline) -> float:
    """A guest may need long to open a session: one that has not opened any yet gets half of the time."""
    if not session.slowest:
        return max(4 * CHECK_TIMEOUT, deadline.left / 2)
    return max(CHECK_TIMEOUT, 4 * session.slowest)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
