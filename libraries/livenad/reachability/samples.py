# SPDX-License-Identifier: Apache-2.0
"""What samples prove: reachable, silent, or nothing at all. Pure functions; no cluster, no guest, no clock."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

FEWEST = 5
"""The minimum number of requests for a share of them."""


@dataclass(frozen=True)
class Sample:
    """One request: when it was sent and when its outcome was known, in seconds of our monotonic clock."""

    asked: float
    known: float
    answered: bool


@dataclass(frozen=True)
class Series:
    """The samples of one guest, one target address and one protocol, oldest first."""

    source: str
    target: str
    address: str
    protocol: str
    samples: tuple[Sample, ...]

    @property
    def answers(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.answered]

    def longest_gap(self) -> float:
        """Longest time in seconds without an answer, between the first and the last answer; 0 with fewer than two."""
        return max((b.asked - a.asked for a, b in pairwise(self.answers)), default=0.0)

    def describe(self, began: float) -> str:
        """``ICMP web → peer (10.0.0.2): 3 of 25 answered, first at 0.2 s, last at 4.8 s``."""
        text = f"{self.protocol} {self.source} → {self.target} ({self.address}): {len(self.answers)} of "
        text += f"{len(self.samples)} answered"
        if self.answers:
            first, last = self.answers[0].known - began, self.answers[-1].known - began
            text += f", first at {max(0.0, first):.1f} s, last at {max(0.0, last):.1f} s"
        return text


def headed(series: Sequence[Series], began: float, rest: str = "") -> str:
    """The first series and ``rest``, then each other one on its own line, so that the first line is short."""
    first, *others = (one.describe(began) for one in series)
    more = f" (and {len(others)} more combinations of protocol and direction)" if others else ""
    return "\n".join([first + more + rest, *others])


class Silence(enum.Enum):
    """The verdict on a window in which no answer should come."""

    PROVEN = "silent"
    HEARD = "answers came"
    PEER_DEAD = "the silent peer does not answer its witness either"
    CONTROL_DEAD = "the control does not answer"
    VM_CUT_OFF = "the VM reaches nothing through its NIC"
    TOO_FEW = "too few samples"


@dataclass(frozen=True)
class SilenceWindow:
    """The series of a silence check, by role.

    ``targets`` must be silent, both ways. ``witness``: between the control and the silent NIC, both ways, over another
    subnet. ``control``: from the VM to the control through the tested NIC. ``control_alive``: from the peer to the same
    NIC of the control over another subnet.
    """

    began: float
    duration: float
    targets: Sequence[Series]
    witness: Sequence[Series]
    control: Sequence[Series]
    control_alive: Sequence[Series]


def missing_answers(series: Sequence[Series], needed: Mapping[str, int]) -> list[Series]:
    """The series with fewer answers than their protocol needs to count as reachable."""
    return [one for one in series if len(one.answers) < needed[one.protocol]]


def reached_after(series: Sequence[Series], needed: Mapping[str, int], began: float) -> float:
    """Seconds until the last of the series had as many answers as its protocol needs."""
    times = [one.answers[needed[one.protocol] - 1].known for one in series]
    return max(0.0, max(times, default=began) - began)


@dataclass(frozen=True)
class Loss:
    """The number of requests without an answer."""

    lost: int
    asked: int

    @property
    def percent(self) -> float:
        return 100 * self.lost / self.asked

    def __str__(self) -> str:
        """``0 of 40 pings``."""
        return f"{self.lost} of {self.asked} pings"


def lost(series: Sequence[Series], until: float) -> Loss | None:
    """The loss among the requests sent before ``until``; None when a series has too few."""
    groups = [[sample for sample in one.samples if sample.asked <= until] for one in series]
    if not groups or any(len(group) < FEWEST for group in groups):
        return None
    samples = [sample for group in groups for sample in group]
    return Loss(sum(not sample.answered for sample in samples), len(samples))


def answered(series: Sequence[Series]) -> str:
    """``44 of 46 requests answered``, over all series."""
    asked = sum(len(one.samples) for one in series)
    return f"{sum(len(one.answers) for one in series)} of {asked} requests answered"


def judge_silence(window: SilenceWindow) -> Silence:
    """Silence is proven when no target answered and both positive controls answered throughout the window."""
    if any(series.answers for series in window.targets):
        return Silence.HEARD
    if any(not _covers(series, window) for series in (*window.targets, *window.witness, *window.control)):
        return Silence.TOO_FEW
    if not _answers_throughout(window.witness, window):
        return Silence.PEER_DEAD
    if not _answers_throughout(window.control, window):
        alive = _answers_throughout(window.control_alive, window)
        return Silence.VM_CUT_OFF if alive else Silence.CONTROL_DEAD
    return Silence.PROVEN


@dataclass(frozen=True)
class PairWindow:
    """The series of a silence check between two guests without a third.

    ``targets`` must be silent, both ways. ``others``: both ways over another network.
    """

    began: float
    duration: float
    targets: Sequence[Series]
    others: Sequence[Series]


def judge_pair_silence(window: PairWindow) -> Silence:
    """Silence is proven when no target answered and both guests answered over another network throughout."""
    if any(series.answers for series in window.targets):
        return Silence.HEARD
    if any(not _covers(series, window) for series in (*window.targets, *window.others)):
        return Silence.TOO_FEW
    return Silence.PROVEN if _answers_throughout(window.others, window) else Silence.CONTROL_DEAD


ALWAYS_NEEDED = ("ICMP", "TCP")
"""Kinds of traffic whose controls must answer; the others prove something only where theirs do."""


_FEWEST_OF_OTHERS = 2
"""Requests of the other kinds without which nothing is known: some of them take a second to be given up."""


def unproven_kinds(targets: Sequence[Series], controls: Sequence[Series]) -> list[str]:
    """Kinds of traffic whose silence proves nothing: a control was never answered, or a target was hardly asked."""
    silent = {one.protocol for one in controls if not one.answers}
    silent |= {one.protocol for one in targets if len(one.samples) < _FEWEST_OF_OTHERS}
    return sorted(silent - {one.protocol for one in targets if one.answers} - set(ALWAYS_NEEDED))


def without_kinds(series: Sequence[Series], kinds: Collection[str]) -> list[Series]:
    """The series of the other kinds of traffic."""
    return [one for one in series if one.protocol not in kinds]


def _answers_throughout(group: Sequence[Series], window: SilenceWindow | PairWindow) -> bool:
    """For each direction: an answer by each protocol, and by ICMP or TCP in each half of the window.

    Half a window holds a dozen requests and more, so that a network that loses 30 % of its packets still counts. Other
    kinds of traffic are asked for less often.
    """
    middle = window.began + window.duration / 2
    for direction in {(series.source, series.target, series.address) for series in group}:
        own = [s for s in group if (s.source, s.target, s.address) == direction]
        always = [series for series in own if series.protocol in ALWAYS_NEEDED]
        asked = [sample.asked for series in always for sample in series.answers]
        if not all(series.answers for series in own):
            return False
        if always and not (any(at < middle for at in asked) and any(at >= middle for at in asked)):
            return False
    return bool(group)


def longest_pause(duration: float) -> float:
    """Seconds between requests of a window of ``duration`` seconds beyond which it is not covered."""
    return max(duration / 3, 1.5)


def _covers(series: Series, window: SilenceWindow | PairWindow) -> bool:
    """Whether requests went out over the whole window, with no pause longer than a third of it (a frozen guest).

    Only of ICMP and TCP: other kinds are asked for less often.
    """
    if series.protocol not in ALWAYS_NEEDED:
        return True
    times = [window.began, *(sample.asked for sample in series.samples), window.began + window.duration]
    return max(b - a for a, b in pairwise(times)) <= longest_pause(window.duration)
