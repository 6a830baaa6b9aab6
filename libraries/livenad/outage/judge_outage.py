"""What probes show that ran across a swap: the gap that it left, and the time before it. Pure functions."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from livenad.reachability.samples import Sample, Series
from livenad.text import human

FEWEST = 5
"""Requests of one direction without which a span of time shows nothing."""


@dataclass(frozen=True)
class Direction:
    """One direction of one IP version: ``way`` is "out" (the VM asks) or "in" (the peers ask).

    ``old`` is the series between the VM and the peer on the network that it leaves, ``new`` that with the peer on the
    network that it comes to.
    """

    way: str
    version: int
    old: Series
    new: Series


@dataclass(frozen=True)
class Gap:
    """How long, in seconds, nothing was answered between the two networks.

    From the last request that the old peer's series had answered to the first one of the new peer's; where that never
    came, until the end of the watch, and ``open`` is true. ``last`` and ``first`` are monotonic clock.
    """

    direction: Direction
    seconds: float
    last: float
    first: float | None

    @property
    def open(self) -> bool:
        """Whether the new network had not answered when the watch ended: the gap is as long at least."""
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
    """The gap of one direction; None when the old network never answered, so that nothing can be said."""
    if not direction.old.answers:
        return None
    last = max(sample.asked for sample in direction.old.answers)
    first = min((sample.asked for sample in direction.new.answers), default=None)
    end = first if first is not None else max((s.asked for s in direction.new.samples), default=last)
    return Gap(direction, max(0.0, end - last), last, first)


class Kept(enum.Enum):
    """What the time before a swap has shown."""

    PROVEN = "kept"
    HEARD = "the new network answered"
    CUT_OFF = "the old network did not answer"
    OLD_DEAD = "the old peer does not answer its witness either"
    NEW_DEAD = "the new peer does not answer its witness"
    TOO_FEW = "too few requests were sent"


def judge_kept(directions: Sequence[Direction], witness: Series, other: Series, start: float, end: float) -> Kept:
    """Nothing of the new network was heard before ``end``, and the old one answered from ``start`` to ``end``.

    Times are monotonic clock. ``witness`` asks the old peer and ``other`` the new one, each on its network and past the
    VM: silence of a dead peer proves nothing.
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


def describe_span(series: Series, start: float, end: float) -> str:
    """``ICMP web → peer (10.0.0.2): 3 of 25 answered``, of the requests between two moments."""
    found = _within(series, start, end)
    answered = sum(sample.answered for sample in found)
    return (
        f"{series.protocol} {series.source} → {series.target} ({series.address}): {answered} of {len(found)} answered"
    )


def gap_text(gap: Gap) -> str:
    """``0.4 s``, or ``at least 8.2 s`` where the new network had not answered by the end of the watch."""
    return ("at least " if gap.open else "") + human(gap.seconds)


def _within(series: Series, start: float, end: float) -> list[Sample]:
    return [sample for sample in series.samples if start <= sample.asked < end]


def _throughout(series: Series, start: float, end: float) -> bool:
    """An answer in each half of the span, so that a network that loses some packets still counts."""
    middle = (start + end) / 2
    asked = [sample.asked for sample in _within(series, start, end) if sample.answered]
    return any(at < middle for at in asked) and any(at >= middle for at in asked)
