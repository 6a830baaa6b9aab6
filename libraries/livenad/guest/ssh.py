"""SSH to a guest over the port-forward subresource of its VMI."""

from __future__ import annotations

import base64
import contextlib
import io
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from livenad.errors import LabError
from livenad.guest.shells import (
    DEFAULT_TIMEOUT,
    CommandLost,
    CommandTimeout,
    Deadline,
    GuestUnreachable,
    checked,
    shorten,
)
from livenad.guest.stream_socket import StreamSocket
from livenad.guest.streams import StreamRefused, WebSocketStream
from livenad.model import CommandResult, GuestLogin

if TYPE_CHECKING:
    import paramiko

ATTEMPT_TIMEOUT = 8.0
"""Seconds for one attempt to connect, key exchange and login included."""

CHECK_TIMEOUT = 3.0
"""Seconds in which a session of doubtful health must open a channel, or it is replaced."""

IDLE_LIMIT = 5.0
"""Seconds of disuse after which a session's health is doubtful: a dead peer announces nothing."""

_RETRY_PAUSE = 0.2


class HostKeyMismatch(GuestUnreachable):
    """Whoever answered is not the guest that this run made, or was not configured by the run's cloud-init."""


class LoginRefused(GuestUnreachable):
    """The guest's SSH server refuses the login."""


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
        self._guest = name
        self._login = login
        self._connect = connect
        self._location = location
        self._lock = threading.Lock()
        self._transport: paramiko.Transport | None = None
        self._connected_at: str | None = None
        self._last_good = 0.0

    @property
    def name(self) -> str:
        return f"guest {self._guest} over SSH"

    def prepare(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        """A session that has just been seen to work; makes a new one where that fails."""
        self._session(Deadline(timeout))

    def run(
        self, command: str, timeout: float = DEFAULT_TIMEOUT, *, check: bool = True, repeatable: bool = False
    ) -> CommandResult:
        deadline = Deadline(timeout)
        started = time.monotonic()
        patience = deadline
        while True:
            channel = self._open_channel(deadline)
            if repeatable:
                # A session may hang without an end; half of the time is left for a new one.
                patience = Deadline(deadline.slice(timeout / 2))
            try:
                code, out, err = self._execute(channel, command, patience)
            except (CommandLost, CommandTimeout):
                self._drop(channel.get_transport())
                if not repeatable or deadline.passed:
                    raise
                continue
            finally:
                # Closing an already broken channel has nothing left to say.
                with contextlib.suppress(Exception):
                    channel.close()
            self._last_good = time.monotonic()
            seconds = time.monotonic() - started
            result = CommandResult(command, code, _text(out), _text(err), seconds)
            return checked(result, self.name, check)

    def close(self) -> None:
        self._drop(self._transport)

    def _session(self, deadline: Deadline) -> paramiko.Transport:
        """The standing session when it is fit for use, else a new one. GuestUnreachable at the deadline."""
        with self._lock:
            transport = self._transport
            if transport is not None and self._is_fit(transport, deadline):
                return transport
            self._drop(transport)
            transport, self._connected_at = self._new_session(deadline)
            self._transport = transport
            self._last_good = time.monotonic()
            return transport

    def _is_fit(self, transport: paramiko.Transport, deadline: Deadline) -> bool:
        if not transport.is_active() or self._location() not in (None, self._connected_at):
            return False
        if time.monotonic() - self._last_good < IDLE_LIMIT:
            return True
        # Any channel that opens proves the peer alive; paramiko itself counts no missing answers.
        try:
            transport.open_session(timeout=deadline.slice(CHECK_TIMEOUT)).close()
        except Exception:
            return False
        self._last_good = time.monotonic()
        return True

    def _new_session(self, deadline: Deadline) -> tuple[paramiko.Transport, str | None]:
        """Tries until the deadline: a guest that boots, or is just moving, refuses connections for a while."""
        pause = threading.Event()
        while True:
            location = self._location()
            attempt = Deadline(deadline.slice(ATTEMPT_TIMEOUT))
            try:
                return self._connect_once(attempt), location
            except Exception as error:
                if deadline.left <= _RETRY_PAUSE:
                    if isinstance(error, GuestUnreachable):
                        raise
                    raise GuestUnreachable(
                        f"{self.name}: no session within {deadline.seconds:.1f} s; last attempt: {_reason(error)}"
                    ) from None
            pause.wait(_RETRY_PAUSE)

    def _connect_once(self, attempt: Deadline) -> paramiko.Transport:
        import paramiko  # noqa: PLC0415 -- importing a keyword library must stay cheap

        expected = _split_key(self._login.host_public_key) if self._login.host_public_key else None
        stream = self._connect(attempt.left)
        transport: paramiko.Transport | None = None
        try:
            transport = paramiko.Transport(StreamSocket(stream))  # type: ignore[arg-type]
            if expected is not None:
                transport.get_security_options().key_types = (expected[0],)
            transport.banner_timeout = transport.handshake_timeout = attempt.left
            transport.start_client(timeout=attempt.left)
            if expected is not None and transport.get_remote_server_key().asbytes() != expected[1]:
                raise HostKeyMismatch(
                    f"{self.name}: the SSH host key is not the one that this run gave to the guest; "
                    "another machine answers, or cloud-init did not run in the guest"
                )
            transport.auth_timeout = attempt.left
            self._authenticate(transport)
            return transport
        except BaseException:
            if transport is not None:
                transport.close()
            stream.close()
            raise

    def _authenticate(self, transport: paramiko.Transport) -> None:
        import paramiko  # noqa: PLC0415

        login = self._login
        way = "a key" if login.private_key else "a password"
        try:
            if login.private_key:
                transport.auth_publickey(login.user, _private_key(login.private_key))
            else:
                transport.auth_password(login.user, login.password, fallback=False)
        except paramiko.BadAuthenticationType as error:
            raise LoginRefused(
                f'{self.name}: user "{login.user}" may not log in with {way}; allowed: {error.allowed_types}'
            ) from None

    def _open_channel(self, deadline: Deadline) -> paramiko.Channel:
        """A channel on a session that works; the command has not been sent yet, so trying again is safe."""
        while True:
            transport = self._session(deadline)
            try:
                return transport.open_session(timeout=deadline.slice(CHECK_TIMEOUT))
            except Exception as error:
                self._drop(transport)
                if deadline.passed:
                    raise GuestUnreachable(f"{self.name}: the session takes no command: {_reason(error)}") from None

    def _execute(self, channel: paramiko.Channel, command: str, deadline: Deadline) -> tuple[int, bytes, bytes]:
        arrived = threading.Event()
        out, err = bytearray(), bytearray()
        for pipe in (channel.in_buffer, channel.in_stderr_buffer):
            pipe.set_event(arrived)
        channel.settimeout(max(0.001, deadline.left))
        try:
            channel.exec_command(command)
            channel.shutdown_write()
        except Exception as error:
            raise CommandLost(
                f"{self.name}: the connection broke when {shorten(command)} was sent: {_reason(error)}"
            ) from None
        while True:
            took = False
            if channel.recv_ready():
                out += channel.recv(1 << 16)
                took = True
            if channel.recv_stderr_ready():
                err += channel.recv_stderr(1 << 16)
                took = True
            if took:
                continue
            if channel.eof_received or channel.closed:
                break
            if not arrived.wait(deadline.left):
                self._last_good = 0.0
                raise CommandTimeout(
                    f"{self.name}: {shorten(command)} did not end within {deadline.seconds:.1f} s; "
                    f"last output: {_text(bytes(out[-300:])).strip() or 'none'}"
                )
        if not channel.status_event.wait(min(deadline.left, 2.0)) or channel.exit_status < 0:
            raise CommandLost(
                f"{self.name}: the connection broke, or a signal ended the command, while {shorten(command)} ran; "
                "it is not repeated, since it may have had its effect"
            )
        return channel.exit_status, bytes(out), bytes(err)

    def _drop(self, transport: paramiko.Transport | None) -> None:
        if transport is None:
            return
        if transport is self._transport:
            self._transport = None
        with contextlib.suppress(Exception):
            transport.close()


def _private_key(text: str) -> Any:
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


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", errors="replace")


def _reason(error: Exception) -> str:
    """One line for a message; paramiko's own exceptions are terse or empty."""
    import paramiko  # noqa: PLC0415

    if isinstance(error, StreamRefused):
        return str(error).removeprefix("LAB ERROR: ")
    if isinstance(error, EOFError) or "No existing session" in str(error):
        return "nothing that speaks SSH answers on port 22"
    if isinstance(error, paramiko.AuthenticationException):
        return f"login refused ({error})"
    return f"{type(error).__name__}: {error}".rstrip(": ")
