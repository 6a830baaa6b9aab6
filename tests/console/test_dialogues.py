"""A dialogue with the simulated guest for each state, manner and accident."""

from __future__ import annotations

import random

import pytest

from tests.console.dialogues import ACCIDENTS, STATES, Dialogue, Step, flaws
from tests.console.shell import MANNERS, Command

ENOUGH = 5000.0
HELLO = Step(Command("echo hello", b"hello\n", b"aside\n", 3, 1.0), ENOUGH)
OTHER = Step(Command("echo other", b"other\n"), ENOUGH)
CHANCE = random.Random(1)  # noqa: S311 - not for secrets
LARGE = Step(Command("cat large", CHANCE.randbytes(30_000), b"", 0, 2.0), ENOUGH)
HUGE = Step(Command("cat huge", CHANCE.randbytes(2 << 20), b"", 0, 2.0), ENOUGH)
WITHOUT_HARM = [what for what in ACCIDENTS if what in ("kernel", "freeze", "move", "silent-move", "late-move")]


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


@pytest.mark.parametrize("what", ["reboot", "logout", "kick", "typing-kick"])
def test_command_that_an_accident_cost_is_told_once_and_the_next_one_is_itself(what: str) -> None:
    lost = Step(Command("make a change", b"changed\n", seconds=10.0, middle=what), ENOUGH)
    assert flaws(Dialogue([HELLO, lost, OTHER])) == []
