# SPDX-License-Identifier: Apache-2.0
"""Verdicts on samples: what proves silence, what does not, and that loss fools none of them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from livenad.reachability.judge_reachability import ANSWERS_NEEDED
from livenad.reachability.samples import (
    Loss,
    Sample,
    Series,
    Silence,
    SilenceWindow,
    judge_silence,
    lost,
    missing_answers,
)

BEGAN, DURATION = 1000.0, 5.0
PAUSES = {"ICMP": 0.2, "TCP": 0.5}
PAIRS = {
    "targets": (("vm", "peer"), ("peer", "vm")),
    "witness": (("control", "peer"), ("peer", "control")),
    "control": (("vm", "control"),),
    "control_alive": (("peer", "control*"),),
}


def series(source: str, target: str, protocol: str, answered: float | list[float], chance: random.Random) -> Series:
    """``answered`` is the share of answered requests, or the times within the window at which they were."""
    samples = []
    at = 0.0
    while at < DURATION:
        if isinstance(answered, list):
            yes = any(abs(at - time) < PAUSES[protocol] / 2 for time in answered)
        else:
            yes = chance.random() < answered
        samples.append(Sample(BEGAN + at, BEGAN + at + (0.01 if yes else 1.0), yes))
        at += PAUSES[protocol]
    return Series(source, target, target, protocol, tuple(samples))


def window(seed: int = 0, **answered: float | list[float]) -> SilenceWindow:
    chance = random.Random(seed)  # noqa: S311
    groups = {
        role: [
            series(source, target, protocol, answered.get(role, 0.0 if role == "targets" else 1.0), chance)
            for source, target in pairs
            for protocol in ("ICMP", "TCP")
        ]
        for role, pairs in PAIRS.items()
    }
    return SilenceWindow(BEGAN, DURATION, **groups)


def test_silence_is_proven_by_living_controls() -> None:
    assert judge_silence(window()) is Silence.PROVEN


def test_a_single_answer_breaks_it_whatever_else_is_dead() -> None:
    assert judge_silence(window(targets=[2.0])) is Silence.HEARD
    assert judge_silence(window(targets=[4.8], witness=0.0, control=0.0)) is Silence.HEARD


@pytest.mark.parametrize("direction", range(4))
def test_an_answer_in_any_direction_by_any_protocol_counts(direction: int) -> None:
    one = window()
    targets = list(one.targets)
    quiet = targets[direction]
    first = quiet.samples[0]
    targets[direction] = Series(
        quiet.source, quiet.target, quiet.address, quiet.protocol, (Sample(first.asked, first.known, True),)
    )
    assert judge_silence(SilenceWindow(BEGAN, DURATION, targets, one.witness, one.control, [])) is Silence.HEARD


def test_dead_peer_is_never_silence() -> None:
    assert judge_silence(window(witness=0.0)) is Silence.PEER_DEAD
    assert judge_silence(window(witness=0.0, control=0.0)) is Silence.PEER_DEAD


def test_peer_that_dies_within_the_window_is_never_silence() -> None:
    assert judge_silence(window(witness=[0.0, 0.2, 0.4, 1.0, 2.0])) is Silence.PEER_DEAD
    assert judge_silence(window(witness=[3.0, 4.0, 4.5])) is Silence.PEER_DEAD


def test_vm_that_reaches_nothing_is_told_from_a_dead_control() -> None:
    assert judge_silence(window(control=0.0)) is Silence.VM_CUT_OFF
    assert judge_silence(window(control=[0.0, 1.0, 2.0])) is Silence.VM_CUT_OFF
    assert judge_silence(window(control=0.0, control_alive=0.0)) is Silence.CONTROL_DEAD


def test_control_that_answers_pings_only_proves_nothing() -> None:
    one = window()
    chance = random.Random()  # noqa: S311
    control = [s if s.protocol == "ICMP" else series(s.source, s.target, "TCP", 0.0, chance) for s in one.control]
    judged = SilenceWindow(BEGAN, DURATION, one.targets, one.witness, control, one.control_alive)
    assert judge_silence(judged) is Silence.VM_CUT_OFF


def test_guest_that_sent_too_little_proves_nothing() -> None:
    one = window()
    frozen = [Series(s.source, s.target, s.address, s.protocol, s.samples[: len(s.samples) // 3]) for s in one.targets]
    judged = SilenceWindow(BEGAN, DURATION, frozen, one.witness, one.control, one.control_alive)
    assert judge_silence(judged) is Silence.TOO_FEW
    empty = [Series(s.source, s.target, s.address, s.protocol, ()) for s in one.targets]
    judged = SilenceWindow(BEGAN, DURATION, empty, one.witness, one.control, one.control_alive)
    assert judge_silence(judged) is Silence.TOO_FEW


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_loss_fools_no_verdict(loss: float) -> None:
    kept = 1 - loss
    for seed in range(400):
        alive = {"witness": kept, "control": kept, "control_alive": kept}
        assert judge_silence(window(seed, **alive)) is Silence.PROVEN
        assert judge_silence(window(seed, targets=kept, **alive)) is Silence.HEARD
        assert judge_silence(window(seed, witness=0.0, control=kept)) is Silence.PEER_DEAD
        assert judge_silence(window(seed, witness=kept, control=0.0, control_alive=kept)) is Silence.VM_CUT_OFF


def test_reachable_takes_enough_answers_by_each_protocol() -> None:
    chance = random.Random(1)  # noqa: S311
    good = series("vm", "peer", "ICMP", 1.0, chance)
    stray = series("vm", "peer", "TCP", [1.0], chance)
    assert missing_answers([good, stray], ANSWERS_NEEDED) == [stray]
    assert missing_answers([good], ANSWERS_NEEDED) == []


def test_description_and_gap() -> None:
    one = series("vm", "peer", "ICMP", [1.0, 1.2, 4.0], random.Random())  # noqa: S311
    assert one.describe(BEGAN) == "ICMP vm → peer (peer): 3 of 25 answered, first at 1.0 s, last at 4.0 s"
    assert one.longest_gap() == pytest.approx(2.8)


def answered_at(*times: float) -> tuple[Sample, ...]:
    """One request every half second; those at ``times`` are answered, a second and a half later."""
    asked = [BEGAN + number / 2 for number in range(10)]
    return tuple(Sample(at, at + 1.5, at - BEGAN in times) for at in asked)


def test_a_half_of_the_window_counts_by_when_it_was_asked_and_not_by_the_answer() -> None:
    found = window()
    early = answered_at(0.0, 2.0)
    witness = [replace(one, samples=early) if one.source == "control" else one for one in found.witness]
    assert judge_silence(replace(found, witness=witness)) is Silence.PEER_DEAD


def test_loss_counts_requests_by_when_they_were_asked() -> None:
    asked = tuple(Sample(float(number), number + 9.0, answered=False) for number in range(6))
    told = lost([Series("a", "b", "c", "ICMP", asked)], 5.0)
    assert told == Loss(6, 6)
    assert lost([Series("a", "b", "c", "ICMP", asked)], 3.9) is None
    assert lost([], 5.0) is None
