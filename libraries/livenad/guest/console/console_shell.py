# SPDX-License-Identifier: Apache-2.0
"""A shell on a guest's serial console."""

from __future__ import annotations

import contextlib
import itertools
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator

from livenad.errors import LabError
from livenad.guest.console.console_frames import FUNCTIONS, Capture, complaint_of, typed_lines
from livenad.guest.console.console_line import CTRL_C, CTRL_U, ConsoleLine
from livenad.guest.console.console_login import LOGIN_ASKS, reach_shell
from livenad.guest.shells import (
    DEFAULT_TIMEOUT,
    CommandLost,
    CommandTimeout,
    Deadline,
    GuestUnreachable,
    checked,
    shorten,
)
from livenad.guest.streams import ByteStream, StreamClosed
from livenad.model import CommandResult, GuestLogin
from livenad.secret_text import remember

_FIRST_QUERY = 3.0
"""Seconds of silence before the guest is asked what became of the command."""

_LOCATION_CHECK = 0.5
"""Seconds between looks at where the guest runs: a console may stay open, and silent, where the guest was."""

_RETRY_PAUSE = 0.2

_DEAF_AFTER = 6.0
"""Seconds without even an echo after which the console is attached again; twice as long the next time."""

_CLOSING = 3.0
"""Seconds that closing waits for a command that still runs; the console is left to it then."""

_HARMLESS_QUESTION = 3.0
"""Seconds in which a login program answers an empty line with its prompt, or a refusal."""

_NOTHING_UNASKED = 1.0
"""Seconds of silence after which what comes is an answer."""

_UNKNOWN_FUNCTION = re.compile(r"\b_[kf]: (?:[Cc]ommand )?not found|\bnot found: _[kf]\b|\b_[kf]: inaccessible")
_OUT_OF_SHELL = re.compile(r"(?<!Last )(?<!failed )\blogin: *\Z|\b[Pp]assword: *\Z")


class _Interrupted(Exception):
    """The shell in use is gone (stream ended, guest moved, logged out): the command's fate must be asked for."""


class ConsoleShell:
    """One console of one guest: commands run one after the other, each at most once, whatever the line does.

    ``connect(timeout)`` opens the stream; ``location()`` names where the guest runs now.
    """

    def __init__(
        self,
        name: str,
        login: GuestLogin,
        connect: Callable[[float], ByteStream],
        location: Callable[[], str | None] = lambda: None,
    ) -> None:
        remember(login.password)
        self._guest = name
        self._login = login
        self._connect = connect
        self._location = location
        self._lock = threading.Lock()
        self._session = secrets.token_hex(3)
        self._numbers = itertools.count(1)
        self._line: ConsoleLine | None = None
        self._attached_at: str | None = None
        self._boot_id = ""
        self._in_shell = False
        self._logged_in = False
        self._deaf_after = _DEAF_AFTER
        self._poses = False  # whether the shell's own prompt reads like that of a login

    @property
    def name(self) -> str:
        return f"guest {self._guest} on its console"

    def prepare(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        with self._exclusive(timeout) as deadline:
            line = self._shell_line(deadline)
            nonce = self._next_id()
            answer = None
            with contextlib.suppress(StreamClosed):
                line.mark()
                line.type(f"{CTRL_U} _f {nonce}\r")
                answer = line.wait_for(line.frame(nonce, "N"), deadline.slice(2.0))
            if answer is None:
                self._in_shell = False
                self._shell_line(deadline)

    def run(
        self, command: str, timeout: float = DEFAULT_TIMEOUT, *, check: bool = True, repeatable: bool = False
    ) -> CommandResult:
        started = time.monotonic()
        with self._exclusive(timeout) as deadline:
            while True:
                try:
                    code, out, err = self._run_once(command, deadline)
                    break
                except CommandLost:
                    if not repeatable or deadline.passed:
                        raise
        seconds = time.monotonic() - started
        result = CommandResult(command, code, _text(out), _text(err), seconds)
        return checked(result, self.name, check)

    def close(self) -> None:
        """Leaves the console as it was found: our files removed, logged out if we logged in."""
        free = self._lock.acquire(timeout=_CLOSING)
        try:
            line = self._line
            if free and line is not None and self._in_shell and not line.closed:
                with contextlib.suppress(LabError, TimeoutError):
                    line.type(f'{CTRL_U} rm -rf "$_w"{"; exit" if self._logged_in else ""}\r')
            self._detach()
        finally:
            if free:
                self._lock.release()

    @contextlib.contextmanager
    def _exclusive(self, timeout: float) -> Iterator[Deadline]:
        deadline = Deadline(timeout)
        if not self._lock.acquire(timeout=timeout):
            raise GuestUnreachable(f"{self.name}: busy with another command for {timeout:.1f} s")
        try:
            yield deadline
        finally:
            self._lock.release()

    def _run_once(self, command: str, deadline: Deadline) -> tuple[int, bytes, bytes]:
        """Sends the command, and asks for its result over as many attachments and logins as it takes."""
        capture = Capture(self._next_id())
        boot_id = ""
        while True:
            try:
                if not capture.sent:
                    line = self._shell_line(deadline)
                    boot_id = self._boot_id
                    self._send(line, command, capture, deadline)
                else:
                    # The command may still run in the foreground: nothing but a question may be typed.
                    line = self._attached(deadline)
                    self._ask(line, capture)
                return self._collect(line, command, capture, deadline)
            except StreamClosed:
                self._detach()
            except _Interrupted:
                self._in_shell = False
                if capture.sent:
                    try:
                        self._check_survival(command, boot_id, capture, deadline)
                    except StreamClosed:
                        self._detach()
            except GuestUnreachable as error:
                if capture.sent:
                    raise CommandLost(f"{error}; {shorten(command)} may have run and is not repeated") from None
                raise

    def _check_survival(self, command: str, boot_id: str, capture: Capture, deadline: Deadline) -> None:
        """Another shell is at its prompt now: has the command ended, or never begun? CommandLost if neither."""
        line = self._shell_line(deadline)
        if self._boot_id != boot_id:
            raise CommandLost(f"{self.name}: the guest rebooted while {shorten(command)} ran; it is not repeated")
        line.mark()
        self._ask(line, capture)
        line.wait_for(lambda: next((f for f in line.frames if f.id == capture.id), None), deadline.slice(5))
        self._take(line, capture)
        if capture.state == "none":
            capture.sent = False
        elif capture.state == "run":
            raise CommandLost(f"{self.name}: the login ended while {shorten(command)} ran; it is not repeated")
        capture.state = ""

    def _send(self, line: ConsoleLine, command: str, capture: Capture, deadline: Deadline) -> None:
        line.mark()
        try:
            lines, word = typed_lines("_c", command)
        except ValueError as error:
            raise LabError(f"{self.name}: {error}") from None
        for number, text in enumerate(lines):
            self._acknowledged(line, text, f"{capture.id}l{number}", deadline)
        capture.sent = True
        line.type(f"{CTRL_U} _k {capture.id} {word}\r")

    def _ask(self, line: ConsoleLine, capture: Capture) -> None:
        """Lets the guest print the command's result, or whether it is none, or still runs, once the shell is free."""
        capture.ended = False
        line.type(f"{CTRL_U} _f {capture.id}\r")

    def _acknowledged(self, line: ConsoleLine, text: str, nonce: str, deadline: Deadline) -> None:
        """Types a line that may be typed twice until the shell has taken it: noise may tear the answer, too."""
        patience = _FIRST_QUERY / 2
        for _ in range(3):
            line.type(f"{CTRL_U} {text}; printf '\\n@@%s:%s@@\\n' {nonce} A:\r")
            if line.wait_for(line.frame(nonce, "A"), deadline.slice(patience)) is not None:
                return
            patience *= 3
        raise _Interrupted

    def _collect(
        self, line: ConsoleLine, command: str, capture: Capture, deadline: Deadline
    ) -> tuple[int, bytes, bytes]:
        """Reads until the result is whole. After a silence the guest is asked again; the command is not."""
        silence = _FIRST_QUERY
        last_news = time.monotonic()
        silent = False
        while True:
            if self._take(line, capture):
                last_news = time.monotonic()
                silence = _FIRST_QUERY
            # Not after each piece: to put megabytes together thousands of times takes longer than the line does.
            if (capture.ended or silent or deadline.passed) and (result := capture.result()) is not None:
                return result
            if capture.state == "none":
                # It was never begun: typed over by another user, or lost by a full tty. Safe to type again.
                capture.state = ""
                self._send(line, command, capture, deadline)
            if deadline.passed:
                self._give_up(line, command, capture, deadline)
            silent = not line.read(min(deadline.left, _LOCATION_CHECK))
            quiet = time.monotonic() - last_news
            if line.frames or quiet < _LOCATION_CHECK:
                continue
            if _UNKNOWN_FUNCTION.search(line.tail) or (not self._poses and self._is_out(line, deadline)):
                raise _Interrupted
            if self._moved():
                raise StreamClosed("the guest moved")
            if line.is_deaf():
                raise StreamClosed("the console takes what is typed and shows nothing")
            if capture.ended or quiet > silence:
                silence = min(silence * 2, 30.0)
                last_news = time.monotonic()
                self._ask(line, capture)

    def _is_out(self, line: ConsoleLine, deadline: Deadline) -> bool:
        """Whether a login program asks, and not some program's text. An empty line, which does no harm, tells it."""
        if not _OUT_OF_SHELL.search(line.tail):
            return False

        def answer() -> object:
            return line.frames or LOGIN_ASKS.search(line.tail)

        # Twice, with a pause: a program's text may come again, just when the first answer is awaited.
        for pause in (0.0, _NOTHING_UNASKED):
            line.settle(pause, deadline.slice(5 * pause))
            line.tail = ""
            line.type(CTRL_U + "\r")
            line.wait_for(lambda: answer() or None, deadline.slice(_HARMLESS_QUESTION))
            if line.frames or not answer():
                return False
        return True

    def _take(self, line: ConsoleLine, capture: Capture) -> bool:
        """Hands what came to the capture; whether any of it was the command's."""
        own = [frame for frame in line.frames if frame.id == capture.id]
        for frame in own:
            capture.add(frame)
        line.frames.clear()
        return bool(own)

    def _moved(self) -> bool:
        return self._location() not in (None, self._attached_at)

    def _give_up(self, line: ConsoleLine, command: str, capture: Capture, deadline: Deadline) -> None:
        self._in_shell = False
        with contextlib.suppress(LabError, TimeoutError):
            line.type(CTRL_C)
        if not capture.begun:
            raise CommandLost(
                f"{self.name}: silent for {deadline.seconds:.1f} s after {shorten(command)} was typed; "
                f"{line.silence()}; it may have run and is not repeated"
            )
        size = capture.header[2] if capture.header else ""
        what = f"its output of {size} bytes did not arrive whole" if size else "did not end"
        raise CommandTimeout(
            f"{self.name}: {shorten(command)} {what} within {deadline.seconds:.1f} s; {line.silence()}"
        )

    def _shell_line(self, deadline: Deadline) -> ConsoleLine:
        """The console, attached where the guest runs, at a shell prompt, our functions defined."""
        while True:
            line = self._attached(deadline)
            if self._in_shell:
                return line
            try:
                self._logged_in = reach_shell(line, self._login, self.name, deadline) or self._logged_in
                self._define_functions(line, deadline)
            except StreamClosed:
                self._detach()
                continue
            except _Interrupted:
                if deadline.passed:
                    raise GuestUnreachable(
                        f"{self.name}: its login shell took none of our definitions; expected a POSIX shell"
                    ) from None
                continue
            self._in_shell = True
            self._deaf_after = _DEAF_AFTER
            return line

    def _define_functions(self, line: ConsoleLine, deadline: Deadline) -> None:
        nonce = self._next_id()
        line.mark()
        lines, word = typed_lines("_s", FUNCTIONS)
        for number, text in enumerate(lines):
            self._acknowledged(line, text, f"{nonce}l{number}", deadline)
        patience = _FIRST_QUERY
        answer = None
        for _ in range(3):
            line.type(f'{CTRL_U} eval "$(printf %b {word})"; _i {self._session}\r')
            answer = line.wait_for(line.frame(self._session, "I"), deadline.slice(patience))
            if answer is not None:
                break
            patience *= 2
        if answer is None:
            raise _Interrupted
        if complaint := complaint_of(answer.payload):
            raise GuestUnreachable(f"{self.name}: {complaint}")
        self._boot_id = answer.payload
        line.settle(0.1, deadline.slice(0.5))
        self._poses = bool(_OUT_OF_SHELL.search(line.tail))

    def _attached(self, deadline: Deadline) -> ConsoleLine:
        """The attachment in use, or a new one. A guest that moved leaves the old one open and silent."""
        if self._line is not None and not self._line.closed and not self._moved():
            return self._line
        self._detach()
        pause = threading.Event()
        while True:
            location = self._location()
            try:
                self._line = ConsoleLine(self._connect(deadline.slice(10)), self._moved, self._deaf_after)
                self._attached_at = location
                return self._line
            except LabError as error:
                if deadline.left <= _RETRY_PAUSE:
                    raise GuestUnreachable(
                        f"{self.name}: cannot be attached within {deadline.seconds:.1f} s: {error}"
                    ) from None
            pause.wait(_RETRY_PAUSE)

    def _detach(self) -> None:
        if self._line is not None:
            if self._line.is_deaf():
                self._deaf_after *= 2
            self._line.close()
        self._line = None
        self._in_shell = False

    def _next_id(self) -> str:
        return f"{self._session}x{next(self._numbers)}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
