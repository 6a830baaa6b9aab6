# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the samples of probes: reached, and silent with or without a third guest. Pure; each returns what it saw.

They raise ProductFault, or LabError for what proves nothing. A ``subject`` names VM, node, NIC and address.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livenad.errors import LabError, ProductFault
from livenad.reachability.guest_requests import MEGABYTES, TRANSFER_SECONDS
from livenad.reachability.samples import (
    PairWindow,
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
from livenad.text import human

ANSWERS_NEEDED: Mapping[str, int] = {
    "ICMP": 3,
    "TCP": 2,
    "UDP": 2,
    "full-size UDP": 2,
    "full-size ICMP": 2,
    "transfer": 1,
    "stream": 1,
    "broadcast": 1,
    "multicast": 1,
    "neighbour": 1,
}
"""The answers that make a target reachable: more than one, but few enough for a network with packet loss."""

ASKED_MBIT = 10.0
"""Mbit/s: a transfer need not be faster than half of this, as the lab's networks are not what is tested."""

FASTEST_MBIT = 1000.0
"""A transfer of 2 MB at this rate takes 16 ms, and its time is measured to the millisecond."""

SLOWEST = 0.15
"""Seconds: by how much later than at first the quickest answer may come."""

TIMED = ("ICMP", "TCP", "UDP", "broadcast", "multicast", "neighbour")
"""Kinds of probe whose answers take the time of the way there and back, and hardly more."""

TOO_FEW = "too few requests were sent: was a guest frozen or overloaded?"


@dataclass(frozen=True)
class Opposite:
    """The guest at the other end, and its address."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})"


def judge_reach(  # noqa: PLR0917 - as for all verdicts on samples
    series: Sequence[Series],
    began: float,
    subject: str,
    peer: Opposite,
    within: float,
    first_rates: Mapping[str, float] | None = None,
    first_times: Mapping[str, float] | None = None,
) -> str:
    """All series have the answers that make a target reachable, in time, and transfers half their first rates.

    ``first_rates`` are those of the first transfers of the NIC in Mbit/s, by the sending guest; ``first_times`` the
    seconds of the quickest first answers, by protocol and sending guest, such as "ICMP web".
    """
    missing = missing_answers(series, ANSWERS_NEEDED)
    kinds = _listed(list(dict.fromkeys(one.protocol for one in series)))
    if missing:
        reached = ", ".join(f"{one.protocol} {one.source} → {one.target}" for one in series if one not in missing)
        rest = f"; reached: {reached}" if reached else ""
        unanswered = {one.protocol for one in missing}
        if "transfer" in unanswered and "ICMP" not in unanswered:
            rest += f"; a transfer of {MEGABYTES} MB is given up after {human(TRANSFER_SECONDS)}"
            pings = lost([one for one in series if one.protocol == "ICMP"], until=math.inf)
            rest += f", and meanwhile {pings} were lost" if pings else ""
        raise ProductFault(
            f"{subject} and {peer} should reach each other by {kinds} within {human(within)}; "
            f"not reached: {headed(missing, began, rest)}"
        )
    _require_in_time(series, f"{subject} and {peer}", "the first ones of this NIC", first_times or {})
    rates = []
    for one in (one for one in series if one.protocol == "transfer"):
        rate, least = rate_of(one), min((first_rates or {}).get(one.source, 0.0), ASKED_MBIT) / 2
        way = f"{one.source} → {one.target}"
        if rate < least:
            raise ProductFault(
                f"{subject} and {peer}: a transfer of {MEGABYTES} MB by TCP {way} should get at least {least:.1f} "
                f"Mbit/s, half of what this NIC got at first (at most {ASKED_MBIT:.0f} Mbit/s are asked for), but got "
                f"{rate:.1f} Mbit/s"
            )
        rates.append(f"{way} {rate_text(rate)}")
    after = human(reached_after(series, ANSWERS_NEEDED, began))
    return f"by {kinds} after {after}{'; ' if rates else ''}{', '.join(rates)}"


def rate_of(series: Series) -> float:
    """Mbit/s of the fastest transfer that was whole; 0 when there was none."""
    seconds = [one.known - one.asked for one in series.answers]
    return MEGABYTES * 8 / max(min(seconds), 0.001) if seconds else 0.0


def rate_text(rate: float) -> str:
    """``420 Mbit/s``; what is quicker than a transfer of this size can measure, ``more than 1000 Mbit/s``."""
    return f"{rate:.0f} Mbit/s" if rate <= FASTEST_MBIT else f"more than {FASTEST_MBIT:.0f} Mbit/s"


def late(series: Sequence[Series], first_times: Mapping[str, float]) -> list[Series]:
    """The series of which no answer came in time, with ``first_times`` as in `judge_reach`."""
    return [
        one
        for one in series
        if one.protocol in TIMED
        and quickest_of(one) > first_times.get(f"{one.protocol} {one.source}", math.inf) + SLOWEST
    ]


def quickest_of(series: Series) -> float:
    """Seconds of the quickest answer; infinite when there was none."""
    return min((one.known - one.asked for one in series.answers), default=math.inf)


def judge_pod_network(  # noqa: PLR0917 - as for all verdicts on samples
    series: Sequence[Series],
    began: float,
    subject: str,
    peer: Opposite,
    within: float,
    first_times: Mapping[str, float] | None = None,
) -> str:
    """Each way that is asked has answered often enough: TCP to the peer's address on the pod network, and others.

    ``first_times`` as in `judge_reach`.
    """
    kinds = _listed(list(dict.fromkeys(one.protocol for one in series)))
    if missing := missing_answers(series, ANSWERS_NEEDED):
        raise ProductFault(
            f"{subject}: its pod network should reach {peer} by {kinds} within {human(within)}; "
            f"{_describe(missing, began)}, while {peer.name} answers from outside"
        )
    _require_in_time(series, f"{subject} and {peer}", "before the change on the pod network", first_times or {})
    return f"by {kinds} after {human(reached_after(series, ANSWERS_NEEDED, began))}"


def _require_in_time(series: Sequence[Series], who: str, first_ones: str, first_times: Mapping[str, float]) -> None:
    for one in late(series, first_times):
        first = first_times[f"{one.protocol} {one.source}"]
        raise ProductFault(
            f"{who}: answers by {one.protocol} {one.source} → {one.target} should come at most {SLOWEST:.2f} s later "
            f"than {first_ones} ({first:.2f} s), but the quickest of {len(one.answers)} came after "
            f"{quickest_of(one):.2f} s"
        )


def judge_silent(window: SilenceWindow, subject: str, peer: Opposite, nic: str, control: str) -> str:
    """No answer came in the whole window, while both positive controls answered."""
    verdict, seconds = judge_silence(window), human(window.duration)
    if verdict is Silence.PROVEN:
        beside = answered([*window.witness, *window.control])
        return f"{answered(window.targets)}; {control} as the control: {beside}"
    if verdict is Silence.HEARD:
        heard = [series for series in window.targets if series.answers]
        dead = not any(series.answers for series in window.control)
        reached = f'was {"not " if dead else ""}reached through NIC "{nic}"{"" if dead else " as well"}'
        raise ProductFault(
            f"{subject} and {peer} should be silent to each other for {seconds}; "
            f"answers came: {headed(heard, window.began, f'; in the same window {control} {reached}')}"
        )
    if verdict is Silence.VM_CUT_OFF:
        raise ProductFault(
            f"{subject}: silence proves nothing: it should reach {control} throughout {seconds}, and that it is silent "
            f"to {peer.name} only shows that the NIC carries little or nothing; "
            f"{_describe(window.control, window.began)}; {control} itself is alive: "
            f"{_describe(window.control_alive, window.began)}"
        )
    evidence, reason = {
        Silence.PEER_DEAD: (
            window.witness,
            f"the probed NIC of {peer.name} does not answer its witness {control} either",
        ),
        Silence.CONTROL_DEAD: (
            [*window.control, *window.control_alive],
            f"the control {control} answers neither of them",
        ),
        Silence.TOO_FEW: ([*window.targets, *window.witness, *window.control], TOO_FEW),
    }[verdict]
    raise LabError(
        f"{subject} was silent to {peer.name} for {seconds}, which proves nothing: {reason}; "
        f"{_describe(evidence, window.began)}"
    )


def judge_pair_silent(window: PairWindow, subject: str, peer: Opposite) -> str:
    """No answer came in the whole window, while both guests answered over another network."""
    verdict, seconds = judge_pair_silence(window), human(window.duration)
    if verdict is Silence.HEARD:
        heard = [series for series in window.targets if series.answers]
        raise ProductFault(
            f"{subject} and {peer} should be silent to each other for {seconds}; "
            f"answers came: {headed(heard, window.began)}"
        )
    if verdict is not Silence.PROVEN:
        reason = TOO_FEW
        if verdict is Silence.CONTROL_DEAD:
            reason = "they do not reach each other both ways over another network either"
        raise LabError(
            f"{subject} was silent to {peer.name} for {seconds}, which proves nothing: {reason}; "
            f"{_describe(window.others, window.began)}"
        )
    return answered(window.targets)


def _describe(series: Sequence[Series], began: float) -> str:
    return "; ".join(one.describe(began) for one in series)


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
