# SPDX-License-Identifier: Apache-2.0
"""Verdicts on samples against slow and obvious ones, and at each of their limits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livenad.errors import LabError, ProductFault
from livenad.packet_loss.judge_loss import Stream, judge_loss
from livenad.reachability.guest_requests import MEGABYTES
from livenad.reachability.judge_reachability import Opposite, judge_pair_silent, judge_reach, judge_silent, rate_of
from livenad.reachability.samples import (
    Loss,
    PairWindow,
    Sample,
    Series,
    Silence,
    SilenceWindow,
    answered,
    headed,
    judge_pair_silence,
    judge_silence,
    lost,
    missing_answers,
    reached_after,
)

PEER = Opposite("peer", "10.0.0.2")
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def series(
    *asked: float, at: tuple[float, ...] = (), late: float = 0.5, way: str = "vm peer", by: str = "ICMP"
) -> Series:
    """Requests at these times, of which those ``at`` are answered ``late`` seconds later."""
    source, target = way.split()
    return Series(source, target, target, by, tuple(Sample(one, one + late, one in at) for one in asked))


STEPS = [float(number) for number in range(7)]
"""A window of six seconds: no pause may be longer than two, and its middle is at three."""
samples = st.lists(st.sampled_from(STEPS), unique=True, max_size=7).map(sorted)
answers = st.lists(st.sampled_from([0.0, 2.0, 3.0, 6.0]), unique=True, max_size=3)


@st.composite
def groups(draw: st.DrawFn, ways: tuple[str, ...], *, full: bool = True) -> list[Series]:
    return [
        series(*(STEPS if full and draw(st.booleans()) else draw(samples)), at=tuple(draw(answers)), way=way, by=by)
        for way in ways
        for by in ("ICMP", "TCP")
    ]


def covers(one: Series) -> bool:
    """In every moment of the window something was asked at most two seconds ago, or the window is as young."""
    times = [0.0, *(sample.asked for sample in one.samples), 6.0]
    return all(later - earlier <= 2.0 for earlier, later in pairwise(times))


def lives(group: list[Series]) -> bool:
    """Each way: every protocol answered, and something answered in the first half and in the second."""
    for way in {(one.source, one.target) for one in group}:
        own = [one for one in group if (one.source, one.target) == way]
        times = [sample.asked for one in own for sample in one.samples if sample.answered]
        halves = {at >= 3.0 for at in times}
        if halves != {False, True} or any(not any(s.answered for s in one.samples) for one in own):
            return False
    return len(group) > 0


@QUICK
@given(groups(("vm old", "old vm")), groups(("new old", "old new")), groups(("vm new",)), groups(("old new*",)))
def test_silence_is_as_the_obvious_verdict(
    targets: list[Series], witness: list[Series], control: list[Series], alive: list[Series]
) -> None:
    if any(sample.answered for one in targets for sample in one.samples):
        expected = Silence.HEARD
    elif not all(covers(one) for one in targets + witness + control):
        expected = Silence.TOO_FEW
    elif not lives(witness):
        expected = Silence.PEER_DEAD
    elif not lives(control):
        expected = Silence.VM_CUT_OFF if lives(alive) else Silence.CONTROL_DEAD
    else:
        expected = Silence.PROVEN
    assert judge_silence(SilenceWindow(0.0, 6.0, targets, witness, control, alive)) is expected


@QUICK
@given(groups(("vm old",), full=False), groups(("vm new", "new vm")))
def test_silence_of_a_pair_is_as_the_obvious_verdict(targets: list[Series], others: list[Series]) -> None:
    if any(sample.answered for one in targets for sample in one.samples):
        expected = Silence.HEARD
    elif not all(covers(one) for one in targets + others):
        expected = Silence.TOO_FEW
    else:
        expected = Silence.PROVEN if lives(others) else Silence.CONTROL_DEAD
    assert judge_pair_silence(PairWindow(0.0, 6.0, targets, others)) is expected


def test_an_answer_in_the_middle_is_one_of_the_second_half() -> None:
    lives_just = [series(*STEPS, at=(0.0, 3.0), way="vm new")]
    assert judge_pair_silence(PairWindow(0.0, 6.0, [series(*STEPS)], lives_just)) is Silence.PROVEN


def quiet(*, pause: float, length: float) -> Silence:
    """A window with one pause, as the controls of which everything else is well."""
    asked = [0.0]
    while asked[-1] < length:
        asked.append(asked[-1] + (pause if len(asked) == 1 else 0.5))
    well = [series(*asked, at=tuple(asked), way="vm new", by=by) for by in ("ICMP", "TCP")]
    return judge_pair_silence(PairWindow(0.0, length, [series(*asked)], well))


@pytest.mark.parametrize(
    ("pause", "length", "found"),
    [
        (2.0, 6.0, Silence.PROVEN),
        (2.1, 6.0, Silence.TOO_FEW),
        (1.5, 3.0, Silence.PROVEN),
        (1.6, 3.0, Silence.TOO_FEW),
        (4.0, 12.0, Silence.PROVEN),
        (4.2, 12.0, Silence.TOO_FEW),
    ],
)
def test_longest_pause_is_a_third_of_the_window_or_a_second_and_a_half(
    pause: float, length: float, found: Silence
) -> None:
    assert quiet(pause=pause, length=length) is found


@QUICK
@given(st.lists(samples, max_size=3), st.sampled_from(STEPS))
def test_loss_is_as_counted_by_hand(asked: list[list[float]], until: float) -> None:
    found = [series(*times, at=(0.0, 3.0)) for times in asked]
    counted = [[at for at in times if not at > until] for times in asked]
    expected = None
    if found and min(map(len, counted)) >= 5:
        flat = [at for times in counted for at in times]
        expected = Loss(len([at for at in flat if at not in (0.0, 3.0)]), len(flat))
    assert lost(found, until) == expected


def test_loss_in_per_cent_and_words() -> None:
    assert Loss(1, 4).percent == 25.0
    assert str(Loss(1, 4)) == "1 of 4 pings"


def test_descriptions_to_the_letter() -> None:
    one = series(10.0, 11.0, 12.0, at=(11.0, 12.0), late=0.2)
    assert one.describe(10.0) == "ICMP vm → peer (peer): 2 of 3 answered, first at 1.2 s, last at 2.2 s"
    assert one.describe(11.5) == "ICMP vm → peer (peer): 2 of 3 answered, first at 0.0 s, last at 0.7 s"
    assert one.describe(99.0) == "ICMP vm → peer (peer): 2 of 3 answered, first at 0.0 s, last at 0.0 s"
    assert series(1.0).describe(0.0) == "ICMP vm → peer (peer): 0 of 1 answered"
    assert headed([one], 10.0, "!") == f"{one.describe(10.0)}!"
    assert headed([one, one, one], 10.0, "!").splitlines() == [
        f"{one.describe(10.0)} (and 2 more combinations of protocol and direction)!",
        one.describe(10.0),
        one.describe(10.0),
    ]
    assert answered([one, series(1.0)]) == "2 of 4 requests answered"
    assert series(1.0, 2.0, 4.0, 9.0, at=(1.0, 2.0, 4.0)).longest_gap() == 2.0
    assert series(1.0, 2.0, at=(1.0,)).longest_gap() == 0.0


def test_as_many_answers_as_are_needed_are_enough() -> None:
    needed = {"ICMP": 3, "TCP": 2}
    three, two = series(1, 2, 3, 4, at=(1, 2, 3)), series(1, 2, 3, 4, at=(1, 2))
    by_tcp = series(1, 2, 5, at=(1, 5), by="TCP", late=0.25)
    assert missing_answers([three, two, by_tcp], needed) == [two]
    assert reached_after([three, by_tcp], needed, 1.0) == 4.25
    assert reached_after([three], needed, 1.0) == 2.5
    assert reached_after([three], needed, 9.0) == reached_after([], needed, 9.0) == 0.0


def all_answered(by: str, way: str = "vm peer", *, late: float = 0.5) -> Series:
    return series(1, 2, 3, at=(1, 2, 3), by=by, way=way, late=late)


def test_reach_names_what_is_missing_and_what_is_not() -> None:
    good, bad = all_answered("ICMP"), series(1, 2, by="TCP")
    with pytest.raises(ProductFault) as caught:
        judge_reach([good, bad], 0.0, "VM web", PEER, 5.0)
    assert str(caught.value) == (
        "VM web and peer (10.0.0.2) should reach each other by ICMP and TCP within 5.0 s; not reached: "
        "TCP vm → peer (peer): 0 of 2 answered; reached: ICMP vm → peer"
    )
    with pytest.raises(ProductFault) as caught:
        judge_reach([bad], 0.0, "VM web", PEER, 5.0)
    assert str(caught.value).endswith("by TCP within 5.0 s; not reached: TCP vm → peer (peer): 0 of 2 answered")
    assert judge_reach([good], 0.0, "VM web", PEER, 5.0) == "by ICMP after 3.5 s"
    three = [all_answered(by) for by in ("ICMP", "TCP", "UDP")]
    assert judge_reach(three, 0.0, "VM web", PEER, 5.0) == "by ICMP, TCP and UDP after 3.5 s"


def test_a_transfer_gets_half_its_first_rate_and_no_more_is_asked_for_than_five() -> None:
    whole = series(1, 5, at=(1,), by="transfer", late=4.0)
    rate = rate_of(whole)
    assert rate == MEGABYTES * 8 / 4.0
    assert rate_of(series(1, 5, at=(1, 5), by="transfer", late=2.0)) == 2 * rate
    assert rate_of(series(1, by="transfer")) == 0.0
    assert rate_of(series(1, at=(1,), by="transfer", late=0.0)) == pytest.approx(rate * 4000)
    judge_reach([whole], 0.0, "VM web", PEER, 9.0, {"vm": 2 * rate})
    judge_reach([whole], 0.0, "VM web", PEER, 9.0, {"other": 99.0})
    if 2 * rate + 0.1 < 10:
        with pytest.raises(ProductFault, match="should get at least"):
            judge_reach([whole], 0.0, "VM web", PEER, 9.0, {"vm": 2 * rate + 0.1})
    quick = series(1, at=(1,), by="transfer", late=rate * 4 / 5)
    assert rate_of(quick) == pytest.approx(5.0)
    judge_reach([quick], 0.0, "VM web", PEER, 9.0, {"vm": 9999.0})


def silent(**changed: list[Series]) -> SilenceWindow:
    well = {
        "targets": [series(*STEPS, way="vm old")],
        "witness": [series(*STEPS, at=(0.0, 4.0), way="new old")],
        "control": [series(*STEPS, at=(0.0, 4.0), way="vm new")],
        "control_alive": [series(*STEPS, at=(0.0, 4.0), way="old new")],
    }
    return SilenceWindow(0.0, 6.0, **(well | changed))


DEAD = "0 of 7 answered"


@pytest.mark.parametrize(
    ("window", "kind", "told"),
    [
        (silent(targets=[series(*STEPS, at=(1.0,))]), ProductFault, "in the same window new was reached through NIC"),
        (
            silent(targets=[series(*STEPS, at=(1.0,))], control=[series(*STEPS, way="vm new")]),
            ProductFault,
            'in the same window new was not reached through NIC "blue"',
        ),
        (silent(control=[series(*STEPS, way="vm new")]), ProductFault, f"{DEAD}; new itself is alive: ICMP old → new"),
        (silent(witness=[series(*STEPS, way="new old")]), LabError, "does not answer its witness new either; ICMP new"),
        (
            silent(control=[series(*STEPS, way="vm new")], control_alive=[series(*STEPS, way="old new")]),
            LabError,
            f"the control new answers neither of them; ICMP vm → new (new): {DEAD}; ICMP old → new (new): {DEAD}",
        ),
        (silent(targets=[series(0.0, way="vm old")]), LabError, "too few requests were sent"),
    ],
)
def test_what_is_not_silence_is_told_with_its_cause(window: SilenceWindow, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as caught:
        judge_silent(window, "VM web", PEER, "blue", "new")
    assert told in str(caught.value)
    assert "peer" in str(caught.value)


def test_silence_and_its_controls_are_counted() -> None:
    said = judge_silent(silent(), "VM web", PEER, "blue", "new")
    assert said == "0 of 7 requests answered; new as the control: 4 of 14 requests answered"
    others = [series(*STEPS, at=(0.0, 4.0), way="vm new"), series(*STEPS, way="new vm")]
    assert judge_pair_silent(PairWindow(0.0, 6.0, [series(*STEPS)], others[:1]), "VM web", PEER) == (
        "0 of 7 requests answered"
    )
    with pytest.raises(LabError, match="they do not reach each other both ways over another network either"):
        judge_pair_silent(PairWindow(0.0, 6.0, [series(*STEPS)], others), "VM web", PEER)
    with pytest.raises(LabError, match="too few requests were sent"):
        judge_pair_silent(PairWindow(0.0, 6.0, [series(0.0)], others), "VM web", PEER)
    with pytest.raises(ProductFault, match=r"should be silent to each other for 6.0 s; answers came: ICMP vm"):
        judge_pair_silent(PairWindow(0.0, 6.0, [series(*STEPS, at=(1.0,))], others), "VM web", PEER)


def stream(title: str, bad: int, of: int = 100, why: str = "") -> Stream:
    asked = [float(number) for number in range(of)]
    return Stream(title, (series(*asked, at=tuple(asked[bad:])),), 0.0, 1e9, why)


@pytest.mark.parametrize(
    ("own", "control", "kind", "told"),
    [
        (10, 0, None, "lost 10 of 100 pings, limit 10 %; as the control, third and peer lost 0 of 100 pings"),
        (11, 10, ProductFault, "NIC should lose at most 10 % of pings (LOSS_LIMIT), but lost 11 %; ICMP vm → peer"),
        (11, 11, LabError, "NIC lose 11 % between them, and the control third and peer 11 %; ICMP vm → peer"),
    ],
)
def test_loss_at_its_limit(own: int, control: int, kind: type[Exception] | None, told: str) -> None:
    arguments = (stream("NIC", own), stream("third", control), "peer", 10)
    if kind is None:
        assert judge_loss(*arguments) == told
        return
    with pytest.raises(kind) as caught:
        judge_loss(*arguments)
    assert told in str(caught.value)
    assert "; control: ICMP vm → peer" in str(caught.value)


def test_loss_that_is_unknown() -> None:
    with pytest.raises(LabError, match=r"between NIC cannot be judged: too few requests were sent; ICMP vm"):
        judge_loss(stream("NIC", 0, 4), stream("third", 0), "peer", 10)
    with pytest.raises(LabError, match=r"between NIC cannot be judged: guest is gone$"):
        judge_loss(stream("NIC", 0, why="guest is gone"), stream("third", 0), "peer", 10)
    with pytest.raises(LabError, match=r"and the packet loss of the control third is unknown; ICMP vm"):
        judge_loss(stream("NIC", 50), stream("third", 0, 4), "peer", 10)
    assert judge_loss(stream("NIC", 0), stream("third", 0, 4), "peer", 10) == "lost 0 of 100 pings, limit 10 %"
