# SPDX-License-Identifier: Apache-2.0
"""Processes of a guest: starts and reaps them, and records login sessions."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import signal
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from emulator.dataplane.syscalls import CLONE_NEWNS, bind, unshare
from emulator.guest.accounts import Account, passwd_file_of

PATH = "/opt/guest/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SESSIONS = Path("/run/sessions")


def environment(account: Account, **more: str) -> dict[str, str]:
    return {
        "HOME": account.directory,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.login_shell,
        "PATH": PATH,
        "LANG": "C.UTF-8",
        **more,
    }


class Processes:
    """Starts and reaps the children of process 1, adopted ones included."""

    def __init__(self) -> None:
        self._awaited: dict[int, asyncio.Future[int]] = {}

    def watch(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def start(
        self,
        argv: Sequence[str],
        account: Account,
        env: dict[str, str],
        streams: tuple[int, int, int],
        *,
        terminal: bool = False,
    ) -> tuple[int, asyncio.Future[int]]:
        """Starts a program in its own session; returns its process id, and a future of its waitpid status.

        With ``terminal`` the first stream becomes its controlling terminal.
        """
        child = os.fork()
        if not child:
            _become(argv, account, env, streams, terminal=terminal)
        return child, self.ended(child)

    def ended(self, child: int) -> asyncio.Future[int]:
        """A future of the end of a child that was just forked."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[child] = future
        return future

    def _reap(self) -> None:
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not child:
                return
            forget(child)
            future = self._awaited.pop(child, None)
            if future and not future.done():
                future.set_result(status)


def _become(
    argv: Sequence[str], account: Account, env: dict[str, str], streams: tuple[int, int, int], *, terminal: bool
) -> NoReturn:
    try:
        reset_signals()
        os.setsid()
        # The streams may themselves be 0, 1 or 2: move them out of the way first.
        safe = [fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, 10) for stream in streams]
        for number, stream in enumerate(safe):
            os.dup2(stream, number)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        enter_account(account)
        os.execvpe(argv[0], list(argv), env)  # noqa: S606 - the guest's user asked for it
    except OSError as error:
        with contextlib.suppress(OSError):
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127 if error.errno == errno.ENOENT else 126)
    except BaseException:
        os._exit(126)


def reset_signals() -> None:
    """Restores in a forked child the signals that the event loop and process 1 have changed."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def enter_account(account: Account) -> None:
    """Makes user id 0 this user's name for the calling process and its children, and changes to the home directory."""
    if account.name != "root":
        unshare(CLONE_NEWNS)
        bind(passwd_file_of(account), "/etc/passwd")
    try:
        os.chdir(account.directory)
    except OSError:
        os.chdir("/")


def remember(pid: int, account: Account) -> None:
    """Records that this process is the start of a session of this user."""
    _SESSIONS.mkdir(exist_ok=True)
    entry = {"userName": account.name, "loginTime": time.time()}
    (_SESSIONS / str(pid)).write_text(json.dumps(entry), encoding="utf-8")


def forget(pid: int) -> None:
    with contextlib.suppress(OSError):
        (_SESSIONS / str(pid)).unlink()


def logged_in() -> list[dict[str, Any]]:
    """One entry for each user with a session: ``userName`` and the ``loginTime`` of the first, in seconds."""
    users: dict[str, dict[str, Any]] = {}
    for file in _SESSIONS.glob("*"):
        with contextlib.suppress(OSError, ValueError):
            entry = json.loads(file.read_text(encoding="utf-8"))
            known = users.setdefault(entry["userName"], entry)
            known["loginTime"] = min(known["loginTime"], entry["loginTime"])
    return list(users.values())
