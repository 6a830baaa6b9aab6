# SPDX-License-Identifier: Apache-2.0
"""One SSH session to a guest: how it is made, step by step, and what is told when it cannot be made."""

from __future__ import annotations

import base64
import contextlib
import enum
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livenad.errors import LAB_ERROR_PREFIX, LabError
from livenad.guest.shells import Deadline, GuestUnreachable
from livenad.guest.stream_socket import StreamSocket
from livenad.guest.streams import StreamSilent, WebSocketStream
from livenad.guest.watchdog import WATCHDOG
from livenad.model import GuestLogin
from livenad.text import human

if TYPE_CHECKING:
    import paramiko

RETRY_PAUSE = 0.2


class HostKeyMismatch(GuestUnreachable):
    """What answered is not the guest that this run made, or was not configured by the run's cloud-init."""


class LoginRefused(GuestUnreachable):
    """The guest's SSH server refuses the login."""


class Weight(enum.IntEnum):
    """Which of several reasons is told: the heaviest, and of those the last one."""

    CUT_SHORT = 0
    FAILED = 1
    REFUSED = 2
    OTHER_MACHINE = 3


@dataclass
class SshSession:
    """A transport that has authenticated, the stream below it, and where the guest ran when it was made."""

    transport: paramiko.Transport
    stream: WebSocketStream
    place: str | None
    slowest: float = 0.0
    """Seconds that its slowest channel took to open; 0 while none was opened."""

    @property
    def is_active(self) -> bool:
        return bool(self.transport.is_active()) and not self.stream.closed

    def open_channel(self, seconds: float) -> paramiko.Channel:
        """A channel within a number of seconds. Raises paramiko's errors, whose limit does not cover all waits."""
        began = time.monotonic()
        with WATCHDOG.limit(seconds + 0.5, self.abort):
            channel = self.transport.open_session(timeout=max(0.001, seconds))
        self.slowest = max(self.slowest, time.monotonic() - began)
        return channel

    def close(self) -> None:
        """End it in an orderly way."""
        with WATCHDOG.limit(2.0, self.stream.abort), contextlib.suppress(Exception):
            self.transport.close()

    def abort(self) -> None:
        """End it now: whatever waits in it goes on.

        The stream alone is not enough: a key exchange keeps paramiko's own thread from seeing its end for 30 s.
        """
        self.stream.abort()
        with contextlib.suppress(Exception):
            self.transport.close()


def connect(
    name: str,
    login: GuestLogin,
    open_stream: Callable[[float], WebSocketStream],
    location: Callable[[], str | None],
    *,
    deadline: Deadline,
    first_limit: float,
) -> SshSession:
    """Tries until the deadline: a guest that boots, or is just moving, refuses connections for a while.

    The first attempt has ``first_limit`` seconds; one that was cut short gives the next one twice as many, since some
    guests take that long to log a user in. GuestUnreachable with the weightiest reason.
    """
    pause = threading.Event()
    limit = first_limit
    heaviest, told, cut = Weight.CUT_SHORT, GuestUnreachable(f"{name}: there was no time for an attempt"), ""
    longest = 0.0
    while True:
        place = location()
        had = deadline.slice(limit)
        attempt = _Attempt(name, login, Deadline(had))
        try:
            return SshSession(*attempt.connect(open_stream), place)
        except Exception as error:
            weight, reason = attempt.judge(error)
            short = weight is Weight.CUT_SHORT
            # One for which the deadline left little time tells nothing that a longer one has not told.
            if not short or had >= longest:
                cut, longest = (bare(reason), had) if short else ("", 0.0)
                if weight >= heaviest:
                    heaviest, told = weight, reason
            if short:
                limit *= 2
        if deadline.left <= RETRY_PAUSE:
            break
        pause.wait(RETRY_PAUSE)
    if heaviest >= Weight.REFUSED:
        raise told
    later = f"; then {cut}" if cut and heaviest is not Weight.CUT_SHORT else ""
    raise GuestUnreachable(f"{name}: no session within {human(deadline.seconds)}; last attempt: {bare(told)}{later}")


class _Attempt:
    """One attempt at a session. ``step`` is what was waited for last."""

    def __init__(self, name: str, login: GuestLogin, limit: Deadline) -> None:
        self._name = name
        self._login = login
        self._limit = limit
        self._step = "the port-forward stream"
        self._stream: WebSocketStream | None = None

    def connect(self, open_stream: Callable[[float], WebSocketStream]) -> tuple[paramiko.Transport, WebSocketStream]:
        import paramiko  # noqa: PLC0415 -- importing a keyword library must stay cheap

        stream = self._stream = open_stream(self._limit.left)
        try:
            # None of paramiko's own limits covers every step.
            with WATCHDOG.limit(self._limit.left + 0.5, stream.abort):
                transport = paramiko.Transport(StreamSocket(stream))  # type: ignore[arg-type]
                self._shake_hands(transport)
                self._log_in(transport)
                return transport, stream
        except BaseException:
            stream.abort()
            raise

    def _shake_hands(self, transport: paramiko.Transport) -> None:
        import paramiko  # noqa: PLC0415

        expected = _split_key(self._login.host_public_key) if self._login.host_public_key else None
        if expected is not None:
            transport.get_security_options().key_types = (expected[0],)
        transport.banner_timeout = transport.handshake_timeout = self._limit.left
        self._step = "the SSH server's banner"
        try:
            transport.start_client(timeout=self._limit.left)
            offered = transport.get_remote_server_key().asbytes()
        except paramiko.SSHException as error:
            if getattr(transport, "remote_version", ""):
                self._step = "the key exchange"
            if expected is not None and "host key" in str(error) and "no acceptable" in str(error):
                raise HostKeyMismatch(
                    f"{self._name}: the SSH server has no {expected[0]} host key, which this run gave to the guest; "
                    "another machine answers, or cloud-init did not run in the guest"
                ) from None
            if self._limit.passed or "No existing session" in str(error):
                raise TimeoutError from None
            raise
        if expected is not None and offered != expected[1]:
            raise HostKeyMismatch(
                f"{self._name}: the SSH host key is not the one that this run gave to the guest; "
                "another machine answers, or cloud-init did not run in the guest"
            )

    def _log_in(self, transport: paramiko.Transport) -> None:
        import paramiko  # noqa: PLC0415

        self._step = "the login"
        login = self._login
        way = "a key" if login.private_key else "a password"
        transport.auth_timeout = self._limit.left
        try:
            if login.private_key:
                further = transport.auth_publickey(login.user, private_key(login.private_key))
            else:
                further = transport.auth_password(login.user, login.password, fallback=False)
        except paramiko.BadAuthenticationType as error:
            raise LoginRefused(
                f'{self._name}: user "{login.user}" may not log in with {way}; allowed: {error.allowed_types}'
            ) from None
        except paramiko.AuthenticationException as error:
            # paramiko calls a time-out, and a connection that ended, a failed authentication.
            if "timeout" in str(error).lower():
                raise TimeoutError from None
            if "shut down" in str(error):
                raise EOFError("the SSH server ended the connection during the login") from None
            raise LoginRefused(
                f'{self._name}: login refused ({error}): user "{login.user}" is not let in with {way}; '
                "did cloud-init create the user, and may it log in?"
            ) from None
        if further or not transport.is_authenticated():
            raise LoginRefused(
                f'{self._name}: the SSH server lets user "{login.user}" in with {way} and wants more: '
                f"{', '.join(further)}; tests need a user who logs in with {way} alone"
            )

    def judge(self, error: Exception) -> tuple[Weight, GuestUnreachable]:
        """How weighty an error is, and what is told of it."""
        if isinstance(error, HostKeyMismatch):
            return Weight.OTHER_MACHINE, error
        if isinstance(error, LoginRefused):
            return Weight.REFUSED, error
        if isinstance(error, StreamSilent):
            return Weight.CUT_SHORT, GuestUnreachable(bare(error))
        if self._stream is not None and (isinstance(error, TimeoutError) or self._limit.passed):
            told = f"{self._step} did not come within {human(self._limit.seconds)}"
            if self._step == "the SSH server's banner":
                told = f"nothing that speaks SSH answers on port 22: {told}"
            return Weight.CUT_SHORT, GuestUnreachable(f"{told}; {self._stream.silence()}")
        return Weight.FAILED, GuestUnreachable(reason_of(error))


def bare(error: Exception) -> str:
    """A message without the prefix of lab errors."""
    return str(error).removeprefix(LAB_ERROR_PREFIX)


def reason_of(error: Exception, *, logged_in: bool = False) -> str:
    """One line for a message; paramiko's own exceptions are terse or empty."""
    if isinstance(error, LabError):
        return bare(error)
    if isinstance(error, EOFError):
        if logged_in:
            return "the SSH server ended the connection"
        return str(error) or "nothing that speaks SSH answers on port 22: the connection ended at once"
    return f"{type(error).__name__}: {error}".rstrip(": ")


def private_key(text: str) -> Any:
    """The key object for OpenSSH private key text, whichever of the usual types it is."""
    import paramiko  # noqa: PLC0415

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError):
            continue
    raise LabError(
        "the SSH private key is of no known type, or has a passphrase; expected ed25519, ECDSA or RSA in OpenSSH format"
    )


def _split_key(public_key: str) -> tuple[str, bytes]:
    """Type and raw key of an OpenSSH public key line."""
    kind, data, *_ = public_key.split()
    return kind, base64.b64decode(data)
