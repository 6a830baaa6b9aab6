# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the outage against slow and obvious ones, and at each of their limits."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livenad.errors import LabError, ProductFault
from livenad.outage.judge_outage import (
    Direction,
    Gap,
    Kept,
    Span,
    describe_span,
    gap_name,
    gap_of,
    judge_gaps,
    judge_kept,
    judge_old_network_kept,
)
from livenad.reachability.samples import Sample, Series

STEPS = [float(number) for number in range(12)]
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


def series(asked: list[float], at: list[float], way: str = "vm old") -> Series:
    source, target = way.split()
    return Series(source, target, "10.0.0.1", "ICMP", tuple(Sample(one, one + 0.5, one in at) for one in asked))


times = st.lists(st.sampled_from(STEPS), unique=True, max_size=12).map(sorted)
several = times.filter(lambda found: len(found) >= 4) | st.just(STEPS)


def within(one: Series, start: float, end: float) -> list[Sample]:
    return [sample for sample in one.samples if start <= sample.asked and sample.asked < end]


def throughout(one: Series, start: float, end: float) -> bool:
    half = start + (end - start) / 2
    halves = {sample.asked >= half for sample in within(one, start, end) if sample.answered}
    return halves == {False, True}


@QUICK
@given(st.lists(st.tuples(several, times), min_size=4, max_size=4))
def test_kept_is_as_the_obvious_verdict(drawn: list[tuple[list[float], list[float]]]) -> None:
    old, new, witness, other = (
        series(*asked_and_answered, way)
        for asked_and_answered, way in zip(drawn, ("vm old", "vm new", "new old", "old new"), strict=True)
    )
    start, end = 2.0, 10.0
    if any(sample.answered and sample.asked < end for sample in new.samples):
        expected = Kept.HEARD
    elif min(len(within(one, start, end)) for one in (old, new, witness, other)) < 5:
        expected = Kept.TOO_FEW
    elif not throughout(witness, start, end):
        expected = Kept.OLD_DEAD
    elif not throughout(other, start, end):
        expected = Kept.NEW_DEAD
    else:
        expected = Kept.PROVEN if throughout(old, start, end) else Kept.CUT_OFF
    assert judge_kept([Direction("out", 4, old, new)], witness, other, start, end) is expected


@pytest.mark.parametrize(("answer", "found"), [(10.0, Kept.PROVEN), (9.0, Kept.HEARD)])
def test_an_answer_at_the_end_is_none_before_it(answer: float, found: Kept) -> None:
    well = series(STEPS, STEPS)
    assert judge_kept([Direction("out", 4, well, series(STEPS, [answer]))], well, well, 2.0, 10.0) is found


@QUICK
@given(times, times, times)
def test_gap_is_as_the_obvious_one(left: list[float], arrived: list[float], asked: list[float]) -> None:
    gap = gap_of(Direction("out", 4, series(STEPS, left), series(asked, arrived, "vm new")))
    first = [at for at in asked if at in arrived]
    if not left:
        assert gap is None
        return
    assert gap is not None
    end = min(first) if first else max(asked, default=max(left))
    assert gap.open is not bool(first)
    assert (gap.last, gap.seconds) == (max(left), max(0.0, end - max(left)))


def gap(seconds: float, *, way: str = "out", first: float | None = 9.0) -> Gap:
    return Gap(Direction(way, 4, series(STEPS, [1.0]), series(STEPS[:5], [4.0])), seconds, 1.23456, first)


def test_gap_as_data_has_hundredths() -> None:
    data = gap(2.34567, first=3.98765).as_data(1.0)
    assert data == {
        "direction": "out",
        "family": "IPv4",
        "protocol": "ICMP",
        "gap_seconds": 2.35,
        "open": False,
        "last_answer_old": 0.23,
        "first_answer_new": 2.99,
        "requests_old": 12,
        "requests_new": 5,
    }
    assert gap(1.0, first=None).as_data(1.0)["first_answer_new"] is None


def test_longest_gap_is_judged_and_all_are_named() -> None:
    both = [gap(2.0), gap(3.0, way="in")]
    assert judge_gaps("VM web", both, 3.0) == "VM web: the longest gap in connectivity is 3.0 s, limit 3.0 s"
    with pytest.raises(ProductFault) as caught:
        judge_gaps("VM web", both, 2.9)
    assert "longer than 2.9 s (GAP_THRESHOLD); the longest is 3.0 s (IPv4, peers ask); all: " in str(caught.value)
    assert str(caught.value).endswith("IPv4, VM asks 2.0 s, IPv4, peers ask 3.0 s")
    with pytest.raises(LabError, match="was still open when the monitoring ended"):
        judge_gaps("VM web", [gap(2.0), gap(1.0, first=None)], 3.0)
    assert (gap_name(gap(1)), gap_name(gap(1, way="in"))) == ("IPv4, VM asks", "IPv4, peers ask")


def kept(
    *, old: list[float] = STEPS, new: list[float] | None = None, witness: list[float] = STEPS, until: float = 10.0
) -> str:
    directions = [Direction("out", 4, series(STEPS, old), series(STEPS, new or [], "vm new"))]
    controls = (series(STEPS, witness, "new old"), series(STEPS, STEPS, "old new"))
    return judge_old_network_kept("VM web", directions, controls, Span(2.0, until, retried=True), "new-peer")


def test_old_network_that_was_kept_and_each_way_in_which_it_was_not() -> None:
    shown = "ICMP vm → old (10.0.0.1): 8 of 8 answered"
    assert kept() == (
        "VM web reached its old network, and nothing of the new one, throughout the 8.0 s from its failed migration to "
        f"the next; {shown}"
    )
    with pytest.raises(ProductFault) as caught:
        kept(new=[3.0])
    assert str(caught.value) == (
        "VM web should be silent to new-peer before it is moved; answers came: ICMP vm → new (10.0.0.1): 1 of 12 "
        "answered, first at 1.5 s, last at 1.5 s"
    )
    with pytest.raises(ProductFault, match=r"should reach its old network throughout the 8.0 s .*: 1 of 8 answered"):
        kept(old=[3.0])
    with pytest.raises(LabError) as lab:
        kept(witness=[])
    assert ": the old peer does not answer its witness either; ICMP vm" in str(lab.value)
    assert str(lab.value).endswith("old (10.0.0.1): 0 of 8 answered; ICMP old → new (10.0.0.1): 8 of 8 answered")
    with pytest.raises(LabError, match=r"nothing is known of the 4.0 s .*: too few requests were sent"):
        kept(until=6.0)


def test_span_in_words() -> None:
    assert str(Span(1.0, 3.0, retried=True)) == "the 2.0 s from its failed migration to the next"
    assert str(Span(1.0, 3.0, retried=False)) == "the 2.0 s from its failed migration to the end of the watch"
    found = describe_span(series(STEPS, [2.0, 4.0, 6.0]), 2.0, 6.0)
    assert found == "ICMP vm → old (10.0.0.1): 2 of 4 answered"
