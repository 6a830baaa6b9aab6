# SPDX-License-Identifier: Apache-2.0
"""What runs on the simulated console: a getty, a login, what people leave open. The shell is in ``shell.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.console.line import Interrupt, Machine, Program

USER, PASSWORD = "tester", "s3cret-Pa55"
BANNER = b"\r\r\nTest Linux 1.0 (ttyS0)\r\r\n\r\r\n"
MOTD = (
    b"\r\nWelcome! `$ ` and login: are here on purpose.\r\nLast login: Sun Nov 22 16:47:01 on ttyS0\r\n"
    b"Last failed login: Sun Nov 22 16:47:12 UTC 2026 on ttyS0\r\n"
)


@dataclass(frozen=True)
class Getty:
    """How quick the way to a shell is, in seconds: boot, the prompt, the check of a password, the shell's start.

    ``asks`` is what the login wants beside the password, and no test can give, one of `WISHES`; "" for nothing.
    """

    boot: float = 0.0
    prompt: float = 0.1
    check: float = 0.3
    start: float = 1.1
    asks: str = ""


UNASKED = "another user"
WISHES = ("Verification code: ", "Current password: ", "New password: ", UNASKED)
"""What a login asks for once it has taken the password; `UNASKED`: it refuses the user and asks for no password."""


def read_line(machine: Machine, *, shown: bool = True) -> Program:
    """A line as a tty edits it; None at an end of file. The tty shows what is typed."""
    machine.echo, machine.raw = shown, False
    typed = bytearray()
    while True:
        key = yield ("read",)
        if key in (0x0D, 0x0A):
            return bytes(typed)
        if key == 0x15:
            typed.clear()
        elif key == 0x04:
            if not typed:
                return None
        elif key >= 0x20:
            typed.append(key)


def getty(machine: Machine, speed: Getty, shell: Callable[[Machine], Program], *, booted: bool) -> Program:
    """From power-on, or from a logout, to a shell and its end."""
    machine.deaf = True
    if booted:
        yield ("write", b"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r\nBooting from Hard Disk...\r\r\n")
        yield ("sleep", speed.boot)
    while True:
        yield ("sleep", speed.prompt)
        yield ("write", BANNER + b"vm-under-test login: ")
        while True:
            name = yield from read_line(machine)
            if name:
                break
            yield ("write", b"\r\r\nvm-under-test login: ")
        machine.flush()
        yield ("sleep", speed.check / 3)
        if speed.asks == UNASKED:
            yield ("write", b"\r\nLogin incorrect\r\n")
            continue
        machine.secret_wanted = name == USER.encode()
        machine.echo = False
        yield ("write", b"Password: ")
        given = yield from read_line(machine, shown=False)
        machine.secret_wanted = False
        yield ("write", b"\r\n")
        if name == USER.encode() and given == PASSWORD.encode():
            if not speed.asks:
                break
            yield ("write", speed.asks.encode())
            yield from read_line(machine, shown=False)
            yield ("write", b"\r\n")
        yield ("sleep", 2.0)
        machine.flush()
        yield ("write", b"\r\nLogin incorrect\r\n")
    yield ("sleep", speed.check)
    yield ("write", MOTD)
    yield ("sleep", speed.start)
    machine.flush()
    machine.deaf = False
    yield from shell(machine)


def pager(machine: Machine) -> Program:
    """``less``: q leaves it, or its help; Ctrl-C does not."""
    depth = 0
    machine.echo, machine.raw = False, True
    yield ("write", b"\x1b[?1049h\x1b[?1h\x1b=\rline 1\r\nline 2\r\n:\x1b[K")
    while True:
        key = yield ("read",)
        if key == ord("q"):
            if depth == 0:
                yield ("write", b"\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l")
                return
            depth = 0
        elif key == ord("h"):
            depth = 1
        yield ("write", b"\r\x1b[K\x07:\x1b[K" if depth == 0 else b"\rHELP -- Press q when done\x1b[K")


def editor(machine: Machine) -> Program:
    """``vi``: Escape, ``:q!`` and Enter leave it."""
    machine.echo, machine.raw = False, True
    mode, said = "normal", bytearray()
    yield ("write", b"\x1b[1;24r\x1b[?25h\x1b[H\x1b[J~\r\n~\r\n\x1b[1;1H")
    while True:
        key = yield ("read",)
        if key == 0x1B:
            mode = "normal"
        elif mode == "command":
            if key == 0x0D:
                if bytes(said) == b"q!":
                    yield ("write", b"\x1b[24;1H\x1b[K")
                    return
                mode = "normal"
            else:
                said.append(key)
        elif mode == "insert":
            yield ("write", bytes([key]) if key >= 0x20 else b"\r\n")
        elif key == ord(":"):
            mode = "command"
            said.clear()
            yield ("write", b"\x1b[24;1H:")
        elif chr(key) in "iIaAoOsScCR":
            mode = "insert"
            yield ("write", b"\x1b[24;1H-- INSERT --")


def interpreter(machine: Machine) -> Program:
    """``python3``: Ctrl-C says so and stays, the end of file leaves it."""
    while True:
        try:
            yield ("write", b">>> ")
            typed = yield from read_line(machine)
        except Interrupt:
            typed = b"KeyboardInterrupt"
        if typed is None:
            yield ("write", b"\r\n")
            return
        if typed.strip():
            machine.raw = True
            yield ("write", b'\r\n  File "<stdin>", line 1\r\nKeyboardInterrupt or SyntaxError\r\n')


def eater(machine: Machine) -> Program:
    """``cat``: says everything again, until Ctrl-C or the end of file."""
    try:
        while (typed := (yield from read_line(machine))) is not None:
            yield ("write", typed + b"\r\n")
    except Interrupt:
        return


def sleeper(machine: Machine) -> Program:
    """``sleep 100000``: reads nothing."""
    machine.echo, machine.raw = True, False
    try:
        yield ("sleep", 100_000.0)
    except Interrupt:
        return


def painter(machine: Machine) -> Program:
    """Something that paints each three seconds and never falls silent; Ctrl-C ends it."""
    machine.echo, machine.raw = True, False
    try:
        while True:
            yield (
                "write",
                b"\x1b[H\x1b[J" + b"".join(b"%5d root  20  0  0.0 init\x1b[K\r\n" % pid for pid in range(20)),
            )
            yield ("sleep", 3.0)
    except Interrupt:
        yield ("write", b"\x1b[25;1H\r\n")


LEFT_OPEN: dict[str, Callable[[Machine], Program]] = {
    "pager": pager,
    "editor": editor,
    "interpreter": interpreter,
    "cat": eater,
    "sleep": sleeper,
    "top": painter,
}
