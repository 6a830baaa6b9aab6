# SPDX-License-Identifier: Apache-2.0
"""What a shell in a guest promises, whatever carries it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from livenad.errors import LAB_ERROR_PREFIX, LabError
from livenad.model import CommandResult

DEFAULT_TIMEOUT = 30.0


class GuestUnreachable(LabError):
    """No shell could be had in the guest: nothing was run."""


class CommandLost(LabError):
    """The connection broke, or the guest fell silent, while the command ran: it may or may not have had its effect.

    ``happened`` is the message without ``warning``, which is for a command that is not repeated.
    """

    def __init__(self, happened: str, warning: str = "") -> None:
        super().__init__(f"{happened}; {warning}" if warning else happened)
        self.happened = happened


class CommandTimeout(LabError):
    """The command did not end in time; over SSH its channel was closed, on the console it got Ctrl-C."""


class CommandFailed(LabError):
    """The command ended with a status other than 0; ``result`` has all of it."""

    def __init__(self, message: str, result: CommandResult) -> None:
        super().__init__(message)
        self.result = result


class Shell(Protocol):
    """A shell in a guest that connects when it is first used, and again when the guest moved or the connection broke.

    A command is never repeated once it may have begun, except by ``repeatable=True``, for commands that only look.
    """

    @property
    def name(self) -> str:
        """Whose shell, over what: ``guest demo/web over SSH``."""
        ...

    def run(
        self, command: str, timeout: float = DEFAULT_TIMEOUT, *, check: bool = True, repeatable: bool = False
    ) -> CommandResult:
        """Runs a POSIX sh command line, stdin empty, and returns within ``timeout`` seconds whatever the guest does.

        GuestUnreachable, CommandLost, CommandTimeout; with ``check`` CommandFailed on a status other than 0.
        """
        ...

    def prepare(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Connects now if need be, and makes sure that the guest answers. GuestUnreachable otherwise."""
        ...

    def close(self) -> None: ...


class Deadline:
    """A moment on the monotonic clock that every step of an operation shares."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left == 0.0

    def slice(self, seconds: float) -> float:
        """At most ``seconds``, at most what is left."""
        return min(seconds, self.left)


class FallbackShell:
    """Two ways into one guest: the other one is taken when the one in use gives no shell."""

    def __init__(self, first: Shell, second: Shell, on_fallback: Callable[[str], None]) -> None:
        self._shells = [first, second]
        self._on_fallback = on_fallback

    @property
    def name(self) -> str:
        return self._shells[0].name

    def prepare(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Tries the way in use for 60 % of the time, then the other one; says both reasons when neither works."""
        deadline = Deadline(timeout)
        current, other = self._shells
        try:
            current.prepare(deadline.slice(timeout * 0.6))
            return
        except GuestUnreachable as error:
            reason = error
        try:
            other.prepare(deadline.left)
        except GuestUnreachable as error:
            raise GuestUnreachable(f"{reason}; {bare(error)}") from None
        self._shells.reverse()
        self._on_fallback(f"{bare(reason)}; going on with {other.name}")

    def run(
        self, command: str, timeout: float = DEFAULT_TIMEOUT, *, check: bool = True, repeatable: bool = False
    ) -> CommandResult:
        deadline = Deadline(timeout)
        self.prepare(timeout)
        return self._shells[0].run(command, deadline.left, check=check, repeatable=repeatable)

    def close(self) -> None:
        for shell in self._shells:
            shell.close()


def checked(result: CommandResult, shell_name: str, check: bool) -> CommandResult:
    """The result itself, or CommandFailed that quotes the end of what the command said."""
    if check and result.exit_code != 0:
        said = (result.stderr.strip() or result.stdout.strip())[-500:] or "it printed nothing"
        raise CommandFailed(
            f"{shell_name}: {shorten(result.command)} ended with status {result.exit_code}, expected 0: {said}", result
        )
    return result


def shorten(command: str, limit: int = 120) -> str:
    """A command on one line, in quotes, for a message; a script goes by its first line's comment."""
    if command.lstrip().startswith("# "):
        command = command.lstrip()[2:].partition("\n")[0]
    line = " ".join(command.split())
    return f'"{line if len(line) <= limit else line[: limit - 1] + "…"}"'


def bare(error: LabError) -> str:
    """The message of a lab error without its prefix, to be quoted within another."""
    return str(error).removeprefix(LAB_ERROR_PREFIX)
