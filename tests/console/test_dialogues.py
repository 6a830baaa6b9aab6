# SPDX-License-Identifier: Apache-2.0
"""A dialogue with the simulated guest for each state, manner and accident."""

from __future__ import annotations

import random
from unittest.mock import patch

import pytest
from livenad.guest.console.console_frames import Capture

from tests.console.dialogues import SOFT, STATES, Dialogue, Step, flaws
from tests.console.programs import WISHES, Getty
from tests.console.shell import MANNERS, Command
from tests.console.strategies import ENOUGH, NOISES

HELLO = Step(Command("echo hello", b"hello\n", b"aside\n", 3, 1.0), ENOUGH)
KERNEL = ((0.0, "kernel"),)
OTHER = Step(Command("echo other", b"other\n"), ENOUGH)
CHANCE = random.Random(1)  # noqa: S311 - not for secrets
LARGE = Step(Command("cat large", CHANCE.randbytes(30_000), b"", 0, 2.0), ENOUGH)
HUGE = Step(Command("cat huge", CHANCE.randbytes(2 << 20), b"", 0, 2.0), ENOUGH)


@pytest.mark.parametrize("manner", sorted(MANNERS))
@pytest.mark.parametrize("state", STATES)
def test_shell_of_any_manner_is_reached_from_any_state(state: str, manner: str) -> None:
    dialogue = Dialogue([HELLO, OTHER], manner=manner, state=state)
    assert dialogue.must_succeed
    assert flaws(dialogue) == []


@pytest.mark.parametrize("what", SOFT)
@pytest.mark.parametrize("moment", [0.5, 4.5, 6.0])
def test_accident_that_spares_the_command_costs_no_answer(what: str, moment: float) -> None:
    dialogue = Dialogue([HELLO, LARGE, OTHER], accidents=((moment, what), (moment + 40, what)))
    assert dialogue.must_succeed
    assert flaws(dialogue) == []


@pytest.mark.parametrize("what", ["reboot", "logout", "kick", "typing-kick"])
def test_command_that_an_accident_cost_is_told_once_and_the_next_one_is_itself(what: str) -> None:
    lost = Step(Command("make a change", b"changed\n", seconds=10.0, middle=what), ENOUGH)
    assert flaws(Dialogue([HELLO, lost, OTHER])) == []


@pytest.mark.parametrize("noise", NOISES)
def test_noise_within_large_output(noise: bytes) -> None:
    assert flaws(Dialogue([LARGE, OTHER], state="shell", noise=0.01, noises=(noise,), cut=(4096, 7))) == []


def test_two_megabytes_that_cannot_be_compressed() -> None:
    """They are put together once for each time that they came, and not for each piece."""
    with patch.object(Capture, "result", autospec=True, side_effect=Capture.result) as put_together:
        assert flaws(Dialogue([HUGE, OTHER], state="shell", cut=(4096,))) == []
    assert put_together.call_count < 20


def test_names_typed_ahead_of_a_slow_login_prompt_are_no_refusal_of_ours() -> None:
    slow = Getty(boot=3, prompt=9, start=0.3)
    dialogue = Dialogue([HELLO], "ash", "booting", slow, 0.02, (b"\x07",), (1, 1, 60))
    assert dialogue.must_succeed
    assert flaws(dialogue) == []


@pytest.mark.parametrize(
    "dialogue",
    [
        Dialogue(
            [HELLO],
            *("coloured", "sleep", Getty(boot=3, prompt=9, start=0.3), 0.5, (b"\x1b]0;title",), (60, 1, 60), 22),
            accidents=((0.0, "reboot"),),
        ),
        Dialogue(
            [HELLO],
            *("like-password", "cat", Getty(boot=3, prompt=9, start=20), 0.02, (b"vm login: ",), (60, 4096, 60), 9207),
            accidents=((1.0, "kernel"), (18.59, "reboot"), (23.55, "kick")),
        ),
    ],
    ids=["prompt-within-a-title", "prompt-of-a-shell"],
)
def test_password_is_typed_only_after_our_name(dialogue: Dialogue) -> None:
    assert flaws(dialogue) == []


def test_prompt_that_poses_as_a_login_does_not_end_a_command_of_a_frozen_guest() -> None:
    slow = [Step(Command(f"slow-{number}", b"slow\n", seconds=5.0), ENOUGH) for number in range(6)]
    for tenth in range(200, 206):
        accidents = ((tenth / 10, "freeze"),)
        assert flaws(Dialogue(slow, "like-password", "shell", cut=(7, 7, 200), accidents=accidents)) == []


def test_noise_that_poses_as_a_login_prompt_is_no_refusal() -> None:
    noise = (b"tester@vm:~$ ", b"vm-under-test login: ", b"vm-under-test login: ")
    speed = Getty(boot=30, prompt=0.1, start=0.3)
    assert flaws(Dialogue([HELLO], "ash", "editor", speed, 0.02, noise, (7, 1, 60), 182, accidents=KERNEL)) == []


def test_console_that_ends_while_a_lost_command_is_asked_for() -> None:
    lost = Step(Command("make a change", b"changed\n", seconds=10.0, middle="logout"), 200.0)
    accidents = ((9.4, "freeze"), (13.4, "kick"))
    assert flaws(Dialogue([lost], state="shell", speed=Getty(start=3), accidents=accidents)) == []


@pytest.mark.parametrize("others", [(), (0.5,), (0.5, 1.2)])
def test_text_that_looks_like_a_login_in_a_burst_does_not_end_a_command(others: tuple[float, ...]) -> None:
    slow = [Step(Command("slow", b"slow\n", seconds=30.0), ENOUGH)]
    for second in range(20):
        accidents = ((second, "prompts"), *((second + later, "prompt") for later in others))
        assert flaws(Dialogue(slow, "ash", "shell", cut=(7, 1, 60), accidents=accidents)) == []


@pytest.mark.parametrize("state", ["login", "booting", "password"])
@pytest.mark.parametrize("wish", WISHES)
def test_login_that_wants_what_nobody_can_give_gets_no_password_for_it(wish: str, state: str) -> None:
    dialogue = Dialogue([HELLO], state=state, speed=Getty(asks=wish))
    assert not dialogue.must_succeed
    assert flaws(dialogue) == []


def test_command_that_speaks_of_something_not_found_is_no_shell_that_does_not_know_our_functions() -> None:
    looks = Step(Command("grep 'not found' /var/log/messages", b"", b"", 1, 3.0), ENOUGH)
    assert flaws(Dialogue([looks, OTHER], state="shell")) == []
