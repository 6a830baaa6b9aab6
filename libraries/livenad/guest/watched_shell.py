# SPDX-License-Identifier: Apache-2.0
"""A shell of a guest whose VMI is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livenad.guest.shells import (
    DEFAULT_TIMEOUT,
    CommandLost,
    CommandTimeout,
    Deadline,
    GuestUnreachable,
    Shell,
    bare,
)
from livenad.model import CommandResult

_PATIENCE = 5.0
"""Seconds for an obstacle to go away by itself, as a pause around a switch-over does."""


class WatchedShell:
    """Another shell, which is not even tried while the cluster itself says why the guest cannot answer.

    ``obstacle(seconds)`` tells what has kept the guest from answering for ``seconds``, waiting until it has; "" as
    soon as nothing does.
    """

    def __init__(self, shell: Shell, obstacle: Callable[[float], str]) -> None:
        self._shell = shell
        self._obstacle = obstacle

    @property
    def name(self) -> str:
        return self._shell.name

    def prepare(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        deadline = Deadline(timeout)
        with self._watching(deadline):
            self._shell.prepare(deadline.left)

    def run(
        self, command: str, timeout: float = DEFAULT_TIMEOUT, *, check: bool = True, repeatable: bool = False
    ) -> CommandResult:
        deadline = Deadline(timeout)
        with self._watching(deadline):
            return self._shell.run(command, deadline.left, check=check, repeatable=repeatable)

    def close(self) -> None:
        self._shell.close()

    @contextmanager
    def _watching(self, deadline: Deadline) -> Iterator[None]:
        """An obstacle that is there before is named at once; one that came meanwhile explains what went wrong."""
        if reason := self._obstacle(deadline.slice(_PATIENCE)):
            raise GuestUnreachable(f"{self.name}: no command can be run, since {reason}")
        try:
            yield
        except GuestUnreachable:
            if reason := self._obstacle(0.0):
                raise GuestUnreachable(f"{self.name}: no command can be run, since {reason}") from None
            raise
        except (CommandLost, CommandTimeout) as error:
            if reason := self._obstacle(0.0):
                raise type(error)(f"{bare(error)}; {reason}") from None
            raise
