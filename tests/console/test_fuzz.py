"""Some hundreds of fuzzed dialogues, a dialogue for each ingredient, and broken consoles that must be found out."""

from __future__ import annotations

import random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from testbed.guest import console_login
from testbed.guest.console import ConsoleShell
from testbed.guest.console_frames import Capture, Frame
from testbed.guest.console_line import ConsoleLine

from tests.console.__main__ import fuzz
from tests.console.dialogues import ACCIDENTS, STATES, Dialogue, Step, flaws
from tests.console.shell import MANNERS, Command
from tests.console.strategies import NOISES, dialogues

ENOUGH = 5000.0
HELLO = Step(Command("echo hello", b"hello\n", b"aside\n", 3, 1.0), ENOUGH)
OTHER = Step(Command("echo other", b"other\n"), ENOUGH)
CHANCE = random.Random(1)  # noqa: S311 - not for secrets
LARGE = Step(Command("cat large", CHANCE.randbytes(30_000), b"", 0, 2.0), ENOUGH)
HUGE = Step(Command("cat huge", CHANCE.randbytes(2 << 20), b"", 0, 2.0), ENOUGH)
WITHOUT_HARM = [what for what in ACCIDENTS if what in ("kernel", "freeze", "move", "silent-move", "late-move")]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(dialogues)
def test_true_output_and_status_or_one_clear_error_in_time(dialogue: Dialogue) -> None:
    assert flaws(dialogue) == []


@pytest.mark.parametrize("manner", sorted(MANNERS))
@pytest.mark.parametrize("state", STATES)
def test_shell_of_any_manner_is_reached_from_any_state(state: str, manner: str) -> None:
    dialogue = Dialogue([HELLO, OTHER], manner=manner, state=state)
    assert dialogue.must_succeed
    assert flaws(dialogue) == []


@pytest.mark.parametrize("what", WITHOUT_HARM)
@pytest.mark.parametrize("moment", [0.5, 4.5, 6.0])
def test_accident_that_spares_the_command_costs_no_answer(what: str, moment: float) -> None:
    dialogue = Dialogue([HELLO, LARGE, OTHER], accidents=((moment, what), (moment + 40, what)))
    assert dialogue.must_succeed
    assert flaws(dialogue) == []


@pytest.mark.parametrize("noise", NOISES)
def test_noise_within_large_output(noise: bytes) -> None:
    assert flaws(Dialogue([LARGE, OTHER], state="shell", noise=0.01, noises=(noise,), cut=(4096, 7))) == []


def test_two_megabytes_that_cannot_be_compressed() -> None:
    assert flaws(Dialogue([HUGE, OTHER], state="shell", cut=(4096,))) == []


@pytest.mark.parametrize("what", ["reboot", "logout", "kick", "typing-kick"])
def test_command_that_an_accident_cost_is_told_once_and_the_next_one_is_itself(what: str) -> None:
    lost = Step(Command("make a change", b"changed\n", seconds=10.0, middle=what), ENOUGH)
    assert flaws(Dialogue([HELLO, lost, OTHER])) == []


def any_frame(line: ConsoleLine, frame_id: str, kind: str) -> Any:
    return lambda: next((frame for frame in line.frames if frame.kind == kind), None)


def anybodys(capture: Capture, frame: Frame) -> None:
    object.__setattr__(frame, "id", capture.id)
    _add(capture, frame)


def sent_again(shell: ConsoleShell, command: str, boot_id: str, capture: Capture, deadline: Any) -> None:
    shell._shell_line(deadline)
    capture.sent, capture.state = False, ""


def given_up_late(self: ConsoleShell, timeout: float) -> Any:
    return _exclusive(self, timeout + 30)


_add, _exclusive = Capture.add, ConsoleShell._exclusive
MUTANTS: dict[str, tuple[object, str, Any]] = {
    "takes output without its checksum": (
        Capture,
        "_assemble",
        lambda self, kind, *_: b"".join(line.encode() for _, line in sorted(self.lines[kind].items())),
    ),
    "takes anybody's frames for its own": (Capture, "add", anybodys),
    "types a command again after it was lost": (ConsoleShell, "_check_survival", sent_again),
    "goes on beyond its deadline": (ConsoleShell, "_exclusive", given_up_late),
    "does not notice that the guest moved": (ConsoleShell, "_moved", lambda self: False),
    "never asks again": (ConsoleShell, "_ask", lambda *_: None),
    "knows no way out of a pager": (console_login, "_WAYS_OUT", ("", "\x03")),
    "takes a prompt for a login prompt": (console_login, "_NOISE", r""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_broken_console_is_found_out(name: str) -> None:
    where, what, instead = MUTANTS[name]
    with patch.object(where, what, instead):
        assert fuzz(400, 7, shrink=False), f"a console that {name} came through"
