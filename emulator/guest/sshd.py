# SPDX-License-Identifier: Apache-2.0
"""The guest's SSH server: commands with their exit status, shells on a pty, files."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import struct
import termios
from typing import Any

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emulator.guest import sessions
from emulator.guest.accounts import Account, authorized_keys

_PORT = 22
_CHUNK = 64 * 1024
_VERSION = "EmbeddedGuest_1"

Process = asyncssh.SSHServerProcess[bytes]


class SshServer:
    """Listens on port 22 of all addresses, including those that a NIC gets later."""

    def __init__(self, accounts: dict[str, Account], processes: sessions.Processes, *, password_logins: bool) -> None:
        self.accounts = accounts
        self.password_logins = password_logins
        self._processes = processes

    async def listen(self, private_keys: list[asyncssh.SSHKey]) -> None:
        await asyncssh.listen(
            sock=_listening_socket(),
            server_factory=lambda: _Connection(self),
            server_host_keys=private_keys,
            process_factory=self._serve,
            encoding=None,
            line_editor=False,
            allow_scp=True,
            sftp_factory=self._files,
            agent_forwarding=False,
            gss_host=None,
            server_version=_VERSION,
            login_timeout=60,
            compression_algs=None,
        )

    def _files(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return _Files(channel, self.accounts[channel.get_extra_info("username")].directory)

    async def _serve(self, process: Process) -> None:
        account = self.accounts[process.get_extra_info("username")]
        with contextlib.suppress(asyncssh.Error, OSError):
            if process.term_type:
                await self._serve_terminal(process, account)
            else:
                await self._serve_pipes(process, account)

    def _program(self, process: Process, account: Account) -> tuple[list[str], dict[str, str]]:
        shell = account.login_shell
        peer, own = process.get_extra_info("peername"), process.get_extra_info("sockname")
        env = sessions.environment(account, SSH_CONNECTION=f"{peer[0]} {peer[1]} {own[0]} {own[1]}")
        if process.term_type:
            env["TERM"] = process.term_type
        argv = [shell, "-c", process.command] if process.command is not None else [shell, "-l"]
        return argv, env

    async def _serve_pipes(self, process: Process, account: Account) -> None:
        argv, env = self._program(process, account)
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = os.pipe(), os.pipe(), os.pipe()
        pid, ended = self._processes.start(argv, account, env, (stdin, stdout, stderr))
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
        sessions.remember(pid, account)
        feeding = asyncio.create_task(_feed(process, to_stdin))
        pumps = (_Pump(from_stdout, process.stdout), _Pump(from_stderr, process.stderr))
        try:
            status = await ended
            for pump in pumps:
                await pump.finish()
            _leave(process, status)
        finally:
            feeding.cancel()
            for pump in pumps:
                await pump.close()

    async def _serve_terminal(self, process: Process, account: Account) -> None:
        argv, env = self._program(process, account)
        master, slave = os.openpty()
        _resize(master, process.term_size)
        env["SSH_TTY"] = os.ttyname(slave)
        pid, ended = self._processes.start(argv, account, env, (slave, slave, slave), terminal=True)
        os.close(slave)
        sessions.remember(pid, account)
        feeding = asyncio.create_task(_feed(process, os.dup(master), master))
        pump = _Pump(master, process.stdout)
        try:
            status = await ended
            await pump.finish()
            _leave(process, status)
        finally:
            feeding.cancel()
            await pump.close()


class _Connection(asyncssh.SSHServer):
    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        account = self._server.accounts.get(username)
        keys = authorized_keys(account) if account else ""
        if keys.strip() and self._connection:
            with contextlib.suppress(ValueError, asyncssh.Error):
                self._connection.set_authorized_keys(asyncssh.import_authorized_keys(keys))
        return True

    def password_auth_supported(self) -> bool:
        return self._server.password_logins

    def validate_password(self, username: str, password: str) -> bool:
        # As in sshd's default: root can log in only by key.
        account = self._server.accounts.get(username) if username != "root" else None
        return bool(account and account.accepts(password))


class _Files(asyncssh.SFTPServer):
    """The file server of ``sftp`` and ``scp``, which fail if it ends without a status. It begins in the user's home."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: str) -> None:
        super().__init__(channel)
        self._home = home.encode()

    def map_path(self, path: bytes) -> bytes:
        return path if path.startswith(b"/") else self._home + b"/" + path

    def exit(self) -> None:
        self.channel.exit(0)


class _Pump:
    """Copies a program's output to its SSH channel, no faster than the client reads."""

    def __init__(self, descriptor: int, writer: asyncssh.SSHWriter[bytes]) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._writer = writer
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while await self._copy():
            await _readable(self._descriptor)

    async def _copy(self) -> bool:
        """Copies all available output; False at the end of the stream."""
        while True:
            try:
                data = os.read(self._descriptor, _CHUNK)
            except BlockingIOError:
                return True
            except OSError:
                # The program closed its side of the pty.
                return False
            if not data:
                return False
            self._writer.write(data)
            await self._writer.drain()

    async def finish(self) -> None:
        """Call it after the program's end: all of its output is already in the pipe, and is sent before the status.

        A background process that keeps the pipe open is not waited for.
        """
        if not self._task.done():
            await self._stop()
            await self._copy()

    async def close(self) -> None:
        """Closes the descriptor last: its number may be reused at once, and the reader of the new file must not be
        removed.
        """
        try:
            await self._stop()
        finally:
            os.close(self._descriptor)

    async def _stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _feed(process: Process, descriptor: int, terminal: int | None = None) -> None:
    """Copies the client's input to the program; with a terminal also its size and its signals."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    try:
        while True:
            try:
                data = await process.stdin.read(_CHUNK)
            except asyncssh.TerminalSizeChanged as change:
                if terminal is not None:
                    _resize(terminal, change.term_size)
                continue
            except (asyncssh.BreakReceived, asyncssh.SignalReceived):
                continue
            if not data:
                return
            while data:
                try:
                    data = data[os.write(descriptor, data) :]
                except BlockingIOError:
                    ready = asyncio.Event()
                    loop.add_writer(descriptor, ready.set)
                    try:
                        await ready.wait()
                    finally:
                        loop.remove_writer(descriptor)
    except (OSError, asyncssh.Error):
        return
    finally:
        os.close(descriptor)


def _leave(process: Process, status: int) -> None:
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name.removeprefix("SIG")
        process.exit_with_signal(name, core_dumped=os.WCOREDUMP(status))
    else:
        process.exit(os.WEXITSTATUS(status))


def _resize(terminal: int, size: tuple[int, int, int, int]) -> None:
    columns, rows, width, height = size
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows or 24, columns or 80, width, height))


def _listening_socket() -> socket.socket:
    try:
        listening = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("::", _PORT))
    except OSError:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("0.0.0.0", _PORT))  # noqa: S104 - the guest's own addresses
    listening.setblocking(False)
    return listening


async def warm_up() -> None:
    """Initialises the libraries, so that forks of this process share the result."""
    asyncssh.SSHServerConnectionOptions(server_host_keys=host_keys({}, "00" * 32, []))


def host_keys(given: dict[str, str], seed: str, complaints: list[str]) -> list[asyncssh.SSHKey]:
    """The keys that cloud-init was given, or one derived from the seed (32 bytes as hex)."""
    keys: list[Any] = []
    for name in sorted(given):
        if name.endswith("_private"):
            try:
                keys.append(asyncssh.import_private_key(given[name]))
            except (ValueError, asyncssh.Error) as error:
                complaints.append(f"ssh_keys: {name} is not usable: {error}")
    if not keys:
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
        text = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        keys.append(asyncssh.import_private_key(text))
    return keys
