# SPDX-License-Identifier: Apache-2.0
"""What probes across a swap show: the gap, and whether the old network was kept until a moment."""

from __future__ import annotations

import json

import pytest
from GuestLibrary.outage import _seconds
from livenad.errors import BadInput
from livenad.outage.judge_outage import Direction, Gap, Kept, describe_span, gap_of, gap_text, judge_kept
from livenad.reachability.samples import Sample, Series

END = 10.0
STEP = 0.2


def series(
    target: str, answered_from: float, answered_until: float, *, until: float = END, source: str = "vm"
) -> Series:
    """Requests every 0.2 s from 0 on, answered in [from, until) only."""
    times = [number * STEP for number in range(round(until / STEP))]
    samples = tuple(Sample(at, at + 0.01, answered_from <= at < answered_until) for at in times)
    return Series(source, target, "10.10.0.11", "ICMP", samples)


def measured(left: float, arrived: float) -> Direction:
    return Direction("out", 4, series("old", 0, left), series("new", arrived, END))


def test_gap_is_from_the_last_old_answer_to_the_first_new_one() -> None:
    gap = gap_of(measured(4.0, 5.0))
    assert gap is not None
    assert gap.seconds == pytest.approx(5.0 - 3.8)
    assert not gap.open
    assert gap_text(gap) == "1.2 s"


def test_gap_is_open_while_the_new_network_has_not_answered() -> None:
    gap = gap_of(measured(4.0, END))
    assert gap is not None
    assert gap.open
    assert gap.seconds == pytest.approx(9.8 - 3.8)
    assert gap_text(gap).startswith("at least 6")


def test_networks_that_overlap_leave_no_gap() -> None:
    gap = gap_of(measured(6.0, 4.0))
    assert gap is not None
    assert gap.seconds == 0


def test_nothing_is_said_of_a_network_that_never_answered() -> None:
    assert gap_of(Direction("in", 6, series("old", 0, 0), series("new", 0, END))) is None


def test_gap_as_data_is_relative_and_plain() -> None:
    gap = gap_of(measured(4.0, 5.0))
    assert isinstance(gap, Gap)
    data = json.loads(json.dumps(gap.as_data(1.0)))
    assert (data["direction"], data["family"], data["protocol"]) == ("out", "IPv4", "ICMP")
    assert (data["gap_seconds"], data["last_answer_old"], data["first_answer_new"]) == (1.2, 2.8, 4.0)


WITNESS = series("old", 0, END, source="peer")
OTHER = series("new", 0, END, source="old")


def test_network_is_kept_when_old_answers_and_new_is_silent_until_the_end() -> None:
    assert judge_kept([measured(8.0, 8.0)], WITNESS, OTHER, 2, 7) is Kept.PROVEN


@pytest.mark.parametrize(
    ("direction", "controls", "span", "expected"),
    [
        (measured(8.0, 6.0), (WITNESS, OTHER), (2.0, 7.0), Kept.HEARD),
        (measured(4.0, 8.0), (WITNESS, OTHER), (2.0, 7.0), Kept.CUT_OFF),
        (measured(2.0, 8.0), (series("old", 0, 0), OTHER), (2.0, 7.0), Kept.OLD_DEAD),
        (measured(8.0, 8.0), (WITNESS, series("new", 0, 0)), (2.0, 7.0), Kept.NEW_DEAD),
        (measured(8.0, 8.0), (WITNESS, OTHER), (2.0, 2.5), Kept.TOO_FEW),
    ],
)
def test_what_else_the_time_before_a_swap_shows(
    direction: Direction, controls: tuple[Series, Series], span: tuple[float, float], expected: Kept
) -> None:
    assert judge_kept([direction], *controls, *span) is expected


def test_span_is_described_by_its_own_requests() -> None:
    assert describe_span(series("old", 0, 4.0), 3.0, 5.0).endswith("vm → old (10.10.0.11): 5 of 10 answered")


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("  ", None), ("2 s", 2.0), ("1 min", 60.0)])
def test_threshold_is_a_time_or_nothing(text: str, seconds: float | None) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-1 s"])
def test_wrong_threshold_names_the_variable(text: str) -> None:
    with pytest.raises(BadInput, match=f'variable GAP_THRESHOLD is "{text}"'):
        _seconds(text)


def test_gap_begins_with_the_request_that_was_answered_and_not_with_its_answer() -> None:
    old = Series("vm", "old", "a", "ICMP", (Sample(1.0, 1.9, answered=True),))
    new = Series("vm", "new", "b", "ICMP", (Sample(3.0, 3.5, answered=True),))
    gap = gap_of(Direction("out", 4, old, new))
    assert gap is not None
    assert (gap.last, gap.first, gap.seconds) == (1.0, 3.0, 2.0)
