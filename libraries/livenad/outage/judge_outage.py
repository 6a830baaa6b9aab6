# SPDX-License-Identifier: Apache-2.0
"""Verdicts on probes that ran during a swap: the gap, and the time before the swap. Pure functions."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from livenad.errors import LabError, ProductFault
from livenad.reachability.samples import Sample, Series, headed
from livenad.text import human

FEWEST = 5
"""The minimum number of requests of one direction for a verdict."""


@dataclass(frozen=True)
class Direction:
    """One direction of one IP version: ``way`` is "out" (from the VM) or "in" (from the peers).

    ``old`` is the series with the peer on the old network, ``new`` that with the peer on the new network.
    """

    way: str
    version: int
    old: Series
    new: Series


@dataclass(frozen=True)
class Gap:
    """The time without an answer between the two networks, in seconds.

    It lasts from the last request that the old peer answered to the first one that the new peer answered. If the new
    peer never answered, it lasts until the end of the monitoring, and ``open`` is true. ``last`` and ``first`` are
    monotonic clock.
    """

    direction: Direction
    seconds: float
    last: float
    first: float | None

    @property
    def open(self) -> bool:
        """Whether the new network had not answered when the monitoring ended: ``seconds`` is a minimum."""
        return self.first is None

    def as_data(self, began: float) -> dict[str, Any]:
        """For a file: times in seconds after ``began``."""
        return {
            "direction": self.direction.way,
            "family": f"IPv{self.direction.version}",
            "protocol": self.direction.old.protocol,
            "gap_seconds": round(self.seconds, 2),
            "open": self.open,
            "last_answer_old": round(self.last - began, 2),
            "first_answer_new": None if self.first is None else round(self.first - began, 2),
            "requests_old": len(self.direction.old.samples),
            "requests_new": len(self.direction.new.samples),
        }


def gap_of(direction: Direction) -> Gap | None:
    """The gap of one direction; None when the old network never answered."""
    if not direction.old.answers:
        return None
    last = max(sample.asked for sample in direction.old.answers)
    first = min((sample.asked for sample in direction.new.answers), default=None)
    end = first if first is not None else max((s.asked for s in direction.new.samples), default=last)
    return Gap(direction, max(0.0, end - last), last, first)


@dataclass(frozen=True)
class Span:
    """The time before a swap that is judged (monotonic clock); ``retried`` tells whether the next migration ends it."""

    start: float
    end: float
    retried: bool

    def __str__(self) -> str:
        until = "the next" if self.retried else "the end of the watch"
        return f"the {human(self.end - self.start)} from its failed migration to {until}"


class Kept(enum.Enum):
    """The verdict on the time before a swap."""

    PROVEN = "kept"
    HEARD = "the new network answered"
    CUT_OFF = "the old network did not answer"
    OLD_DEAD = "the old peer does not answer its witness either"
    NEW_DEAD = "the new peer does not answer its witness"
    TOO_FEW = "too few requests were sent"


def judge_kept(directions: Sequence[Direction], witness: Series, other: Series, start: float, end: float) -> Kept:
    """The new network did not answer before ``end``, and the old one answered from ``start`` to ``end``.

    Times are monotonic clock. ``witness`` are requests to the old peer and ``other`` to the new one, each on its
    network and not from the VM: without them, silence could mean that the peer is down.
    """
    if any(sample.asked < end for one in directions for sample in one.new.answers):
        return Kept.HEARD
    watched = [series for one in directions for series in (one.old, one.new)]
    if any(len(_within(series, start, end)) < FEWEST for series in (*watched, witness, other)):
        return Kept.TOO_FEW
    if not _throughout(witness, start, end):
        return Kept.OLD_DEAD
    if not _throughout(other, start, end):
        return Kept.NEW_DEAD
    return Kept.PROVEN if all(_throughout(one.old, start, end) for one in directions) else Kept.CUT_OFF


def judge_gaps(title: str, gaps: Sequence[Gap], limit: float) -> str:
    """No gap is longer than ``limit`` seconds. LabError for one that was still open when the monitoring ended."""
    longest = max(gaps, key=lambda gap: gap.seconds)
    if longest.seconds > limit:
        told = ", ".join(f"{gap_name(gap)} {gap_text(gap)}" for gap in gaps)
        raise ProductFault(
            f"{title}: expected no gap in connectivity over its swap longer than {human(limit)} "
            f"(GAP_THRESHOLD); the longest is {gap_text(longest)} ({gap_name(longest)}); all: {told}"
        )
    if any(gap.open for gap in gaps):
        raise LabError(
            f"{title}: the gap in connectivity was still open when the monitoring ended, so nothing tells whether "
            f"it is longer than {human(limit)} (GAP_THRESHOLD): {', '.join(gap_text(gap) for gap in gaps)}; give "
            "`Stop Outage Monitoring` more time"
        )
    return f"{title}: the longest gap in connectivity is {gap_text(longest)}, limit {human(limit)}"


def judge_old_network_kept(
    subject: str, directions: Sequence[Direction], controls: tuple[Series, Series], span: Span, new_peer: str
) -> str:
    """Between its failed migration and the next one the VM reached its old network only.

    ``controls`` are `judge_kept`'s ``witness`` and ``other``.
    """
    start, end = span.start, span.end
    shown = "; ".join(describe_span(one.old, start, end) for one in directions)
    verdict = judge_kept(directions, *controls, start, end)
    if verdict is Kept.HEARD:
        heard = [one.new for one in directions if any(sample.asked < end for sample in one.new.answers)]
        raise ProductFault(
            f"{subject} should be silent to {new_peer} before it is moved; answers came: {headed(heard, start)}"
        )
    if verdict is Kept.CUT_OFF:
        raise ProductFault(f"{subject} should reach its old network throughout {span}; {shown}")
    if verdict is not Kept.PROVEN:
        more = "; ".join(describe_span(series, start, end) for series in controls)
        why = "too few requests were sent: was a guest frozen or overloaded?"
        reason = why if verdict is Kept.TOO_FEW else verdict.value
        raise LabError(f"{subject}: nothing is known of {span}: {reason}; {shown}; {more}")
    return f"{subject} reached its old network, and nothing of the new one, throughout {span}; {shown}"


def describe_span(series: Series, start: float, end: float) -> str:
    """``ICMP web → peer (10.0.0.2): 3 of 25 answered``, of the requests between two moments."""
    found = _within(series, start, end)
    answered = sum(sample.answered for sample in found)
    return (
        f"{series.protocol} {series.source} → {series.target} ({series.address}): {answered} of {len(found)} answered"
    )


def gap_text(gap: Gap) -> str:
    """``0.4 s``, or ``at least 8.2 s`` where the new network had not answered by the end of the monitoring."""
    return ("at least " if gap.open else "") + human(gap.seconds)


def gap_name(gap: Gap) -> str:
    """``IPv4, VM asks``."""
    return f"IPv{gap.direction.version}, {'VM asks' if gap.direction.way == 'out' else 'peers ask'}"


def _within(series: Series, start: float, end: float) -> list[Sample]:
    return [sample for sample in series.samples if start <= sample.asked < end]


def _throughout(series: Series, start: float, end: float) -> bool:
    """Whether each half of the span has an answer, so that some packet loss is tolerated."""
    middle = (start + end) / 2
    asked = [sample.asked for sample in _within(series, start, end) if sample.answered]
    return any(at < middle for at in asked) and any(at >= middle for at in asked)
