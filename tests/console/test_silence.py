# SPDX-License-Identifier: Apache-2.0
"""A console that a gateway forgets after any number of bytes, for good, holds no command longer than its limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from unittest.mock import patch

import pytest
from livenad.errors import LabError
from livenad.guest.console.console_shell import ConsoleShell
from livenad.guest.streams import StreamSilent
from livenad.model import CommandResult

from tests.console.clock import VirtualClock, virtual_time
from tests.console.dialogues import LOGIN, MARGIN, Dialogue, Guest, Step
from tests.console.shell import Command

SAID = Step(Command("echo hello", b"hello\n" * 50, b"aside\n", 3, 1.0), 60.0)
SIDE = "nothing came for a while"
STEPS = (
    "neither a shell nor a login prompt",
    '"echo hello" did not end within',
    "its output of 300 bytes did not arrive whole",
)


class Gateway:
    """Passes ``answers`` bytes of the guest on; from then on nothing passes either way. ``opens``: attachments."""

    def __init__(self, guest: Guest, answers: int, opens: int = 1 << 30) -> None:
        self.machine = guest.machine
        self.answers = answers
        self.opens = opens
        self.passed = 0

    def emit(self, emit: Callable[[bytes], None], data: bytes) -> None:
        emit(data[: max(0, self.answers - self.passed)])
        self.passed += len(data)

    def type(self, type_: Callable[[bytes], None], keys: bytes) -> None:
        if self.passed <= self.answers:
            type_(keys)

    def attach(self, timeout: float) -> object:
        if not self.opens:
            self.machine.clock.now += timeout
            raise StreamSilent(f"console: {SIDE}")
        self.opens -= 1
        return self.machine.attach(timeout)


def run(answers: int, step: Step = SAID, *, opens: int = 1 << 30) -> tuple[CommandResult | str, float, int]:
    """What came of a command, or the error; the seconds that it took; and the bytes that the guest had said."""
    clock = VirtualClock()
    with virtual_time(clock):
        guest = Guest(Dialogue([step]), clock)
        gateway, machine = Gateway(guest, answers, opens), guest.machine
        emit, type_ = machine.emit, machine.type
        shell = ConsoleShell("demo/web", LOGIN, gateway.attach, lambda: machine.known_node)  # type: ignore[arg-type]
        with (
            patch.object(machine, "emit", lambda data: gateway.emit(emit, data)),
            patch.object(machine, "type", lambda keys=b"": gateway.type(type_, keys)),
        ):
            began = clock.now
            try:
                said: CommandResult | str = shell.run(
                    step.command.text, step.timeout, check=False, repeatable=step.repeatable
                )
            except LabError as error:
                said = str(error)
            return said, clock.now - began, gateway.passed


WHOLE = run(1 << 30)[2]
POSITIONS = (*range(0, WHOLE - 800, 110), *range(WHOLE - 800, WHOLE, 20))
"""The login and our definitions are most of a first command; the command itself is the last of it."""


@pytest.mark.parametrize("repeatable", [False, True])
def test_console_that_is_forgotten_after_so_many_bytes(*, repeatable: bool) -> None:
    step = Step(SAID.command, SAID.timeout, repeatable)
    told = []
    for answers in POSITIONS:
        said, seconds, _ = run(answers, step)
        assert seconds < step.timeout + MARGIN, (answers, said, seconds)
        if isinstance(said, str):
            assert re.match("LAB ERROR: guest demo/web on its console: ", said)
            assert SIDE in said, (answers, said)
            told.append(said)
    assert [one for one in STEPS if not any(one in said for said in told)] == []


def test_console_that_nobody_opens() -> None:
    said, seconds, _ = run(0, opens=0)
    assert seconds < SAID.timeout + MARGIN
    assert f"cannot be attached within 60.0 s: LAB ERROR: console: {SIDE}" in str(said)


def test_console_that_nobody_opens_again() -> None:
    """The command may have run: its result is asked for until the limit, and never on another attachment."""
    said, seconds, _ = run(WHOLE - 300, opens=1)
    assert seconds < SAID.timeout + MARGIN
    assert '"echo hello" may have run and is not repeated' in str(said)
    assert SIDE in str(said)
