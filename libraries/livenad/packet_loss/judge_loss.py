# SPDX-License-Identifier: Apache-2.0
"""The verdict on packet loss. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from livenad.errors import LabError, ProductFault
from livenad.reachability.samples import Loss, Series, lost


@dataclass(frozen=True)
class Stream:
    """A stream of pings, of which those count that were asked until ``until``; ``why`` it has no result, "" if it has.

    Times are of our monotonic clock.
    """

    title: str
    series: tuple[Series, ...]
    began: float
    until: float
    why: str = ""

    @property
    def loss(self) -> Loss | None:
        """What it lost; None where that is unknown."""
        return None if self.why else lost(self.series, self.until)

    @property
    def seen(self) -> str:
        """How many of its requests were answered, or why that is unknown."""
        return self.why or "; ".join(one.describe(self.began) for one in self.series)


def judge_loss(stream: Stream, control: Stream, peer: str, limit: int) -> str:
    """The pings between both ends that got no answer are at most ``limit`` percent.

    LabError when that is unknown, or when a third guest, the control, and the same ``peer`` lost more than that too.
    """
    title, loss, beside = stream.title, stream.loss, control.loss
    both = f"{control.title} and {peer}"
    if loss is None:
        few = "" if stream.why else "too few requests were sent; "
        raise LabError(f"packet loss between {title} cannot be judged: {few}{stream.seen}")
    if loss.percent <= limit:
        return f"lost {loss}, limit {limit} %" + (f"; as the control, {both} lost {beside}" if beside else "")
    lose = f"{title} lose {loss.percent:.0f} % between them, and"
    if beside is None:
        raise LabError(f"{lose} the packet loss of the control {control.title} is unknown; {stream.seen}")
    seen = f"{stream.seen}; control: {control.seen}"
    if beside.percent > limit:
        raise LabError(f"{lose} the control {both} {beside.percent:.0f} %; {seen}")
    raise ProductFault(
        f"{title} should lose at most {limit} % of pings (LOSS_LIMIT), but lost {loss.percent:.0f} %; {seen}"
    )
