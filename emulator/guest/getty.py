# SPDX-License-Identifier: Apache-2.0
"""The login prompt on the serial line: the output of agetty, login and PAM on a real machine, byte for byte."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import termios
import time
from pathlib import Path
from typing import Any, NoReturn

from emulator.guest import sessions
from emulator.guest.accounts import Account
from emulator.guest.rootfs import SERIAL_LINE

_ATTEMPTS = 5
_PASSWORD_SECONDS = 60
_HISTORY = Path("/var/log/logins")
_IFLAG, _OFLAG, _CFLAG, _LFLAG = 0, 1, 2, 3
_IUTF8 = 0x4000
_INTERRUPT, _END, _KILL_LINE = 0x03, 0x04, 0x15
_ERASE = (0x08, 0x7F)
_ENTER = (0x0A, 0x0D)


def serve(accounts: dict[str, Account], issue: str, delay: float) -> NoReturn:
    """Runs in a forked child: asks until a user has logged in, then becomes the user's shell."""
    try:
        sessions.reset_signals()
        os.setsid()
        line = os.open(SERIAL_LINE, os.O_RDWR)
        fcntl.ioctl(line, termios.TIOCSCTTY, 0)
        for number in (0, 1, 2):
            os.dup2(line, number)
        if line > 2:
            os.close(line)
        account = _Login(accounts, issue, delay).run()
        if account:
            _start_shell(account)
    except OSError:
        pass
    finally:
        os._exit(0)


class _Login:
    def __init__(self, accounts: dict[str, Account], issue: str, delay: float) -> None:
        self._accounts = accounts
        self._issue = issue
        self._delay = delay
        self._prompt = f"{socket.gethostname().partition('.')[0]} login: "

    def run(self) -> Account | None:
        """The user who logged in; None if the line must be opened again."""
        _set_terminal(cooked=False)
        _show(f"\r\n{self._issue}\n{self._prompt}")
        name = self._read_name()
        _set_terminal(cooked=True)
        if name is None:
            return None
        signal.signal(signal.SIGALRM, _time_out)
        for _ in range(_ATTEMPTS):
            signal.alarm(_PASSWORD_SECONDS)
            password = _read_password()
            if password is None:
                return None
            account = self._accounts.get(name)
            if account and account.accepts(password):
                signal.alarm(0)
                return account
            _note(name, succeeded=False)
            time.sleep(self._delay)
            _show(f"\nLogin incorrect\n{self._prompt}")
            again = _read_line()
            while again == "":
                _show(self._prompt)
                again = _read_line()
            if again is None:
                return None
            name = again
        _show(f"\nMaximum number of tries exceeded ({_ATTEMPTS})\n")
        return None

    def _read_name(self) -> str | None:
        """Reads as agetty does, by single characters with its own echo."""
        typed = bytearray()
        while True:
            character = os.read(0, 1)
            if not character or character[0] in {_INTERRUPT, _END}:
                return None
            if character[0] in _ENTER:
                _show("\r\n")
                if typed:
                    return typed.decode(errors="replace").strip()
                _show(self._prompt)
            elif character[0] in _ERASE:
                if typed:
                    typed.pop()
                    _show("\b \b")
            elif character[0] == _KILL_LINE:
                _show("\b \b" * len(typed))
                typed.clear()
            else:
                typed += character
                os.write(1, character)


def _show(text: str) -> None:
    os.write(1, text.encode())


def _set_terminal(*, cooked: bool) -> None:
    """A sane terminal of 24 by 80; not cooked: characters come as they are typed, output is still processed."""
    values: list[Any] = termios.tcgetattr(0)
    values[_IFLAG] = termios.ICRNL | termios.IXON | termios.IXOFF | _IUTF8
    values[_OFLAG] = termios.OPOST | termios.ONLCR
    values[_CFLAG] = termios.CS8 | termios.CREAD | termios.CLOCAL | termios.HUPCL
    values[_LFLAG] = (
        termios.ISIG | termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK
        | termios.ECHOCTL | termios.ECHOKE | termios.IEXTEN
    )  # fmt: skip
    values[4] = values[5] = termios.B115200
    if not cooked:
        values[_IFLAG] &= ~termios.ICRNL
        values[_LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(0, termios.TCSANOW, values)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))


def _read_password() -> str | None:
    values: list[Any] = termios.tcgetattr(0)
    silent = [*values]
    silent[_LFLAG] &= ~termios.ECHO
    # As login does: input that was typed ahead is discarded.
    termios.tcsetattr(0, termios.TCSAFLUSH, silent)
    _show("Password: ")
    try:
        return _read_line()
    finally:
        termios.tcsetattr(0, termios.TCSANOW, values)
        _show("\n")


def _read_line() -> str | None:
    line = os.read(0, 4096)
    return line.decode(errors="replace").rstrip("\n") if line else None


def _time_out(_number: int, _frame: object) -> None:
    _show(f"\nLogin timed out after {_PASSWORD_SECONDS} seconds.\n")
    os._exit(0)


def _note(name: str, *, succeeded: bool) -> None:
    history = _history(name)
    now = time.strftime("%a %b %e %H:%M:%S UTC %Y", time.gmtime())
    if succeeded:
        history = {"last": now}
    else:
        history.update(failed=now, failures=history.get("failures", 0) + 1)
    _HISTORY.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):
        _file_of(name).write_text(json.dumps(history), encoding="utf-8")


def _history(name: str) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(_file_of(name).read_text(encoding="utf-8"))
        return found
    return {}


def _file_of(name: str) -> Path:
    return _HISTORY / name.encode().hex()[:200]


def _start_shell(account: Account) -> None:
    system = os.uname()
    _show(f"Linux {system.nodename} {system.release} {system.version} {system.machine}\n")
    with contextlib.suppress(OSError):
        _show(Path("/etc/motd").read_text(encoding="utf-8"))
    history = _history(account.name)
    if "last" in history:
        _show(f"Last login: {history['last']} on ttyS0\n")
    if failures := history.get("failures"):
        _show(f"Last failed login: {history['failed']} on ttyS0\n")
        verb, plural = ("was", "") if failures == 1 else ("were", "s")
        _show(f"There {verb} {failures} failed login attempt{plural} since the last successful login.\n")
    _note(account.name, succeeded=True)
    sessions.remember(os.getpid(), account)
    sessions.enter_account(account)
    shell = account.login_shell
    env = sessions.environment(account, TERM="vt220", HUSHLOGIN="FALSE")
    os.execve(shell, [f"-{Path(shell).name}"], env)  # noqa: S606 - the user has logged in
