# SPDX-License-Identifier: Apache-2.0
"""The verdict on packet loss. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from livenad.errors import LabError, ProductFault
from livenad.reachability.samples import Loss


@dataclass(frozen=True)
class Measured:
    """What a stream of pings lost, None where that is unknown.

    ``seen`` says how many of its requests were answered, or why that is unknown.
    """

    title: str
    loss: Loss | None
    seen: str


def judge_loss(stream: Measured, control: Measured, peer: str, limit: int) -> str:
    """The pings between both ends that got no answer are at most ``limit`` percent.

    LabError when that is unknown, or when a third guest, the control, and the same ``peer`` lost more than that too.
    """
    title, lost, beside = stream.title, stream.loss, control.loss
    both = f"{control.title} and {peer}"
    if lost is None:
        raise LabError(f"packet loss between {title} cannot be judged: {stream.seen}")
    if lost.percent <= limit:
        return f"lost {lost}, limit {limit} %" + (f"; as the control, {both} lost {beside}" if beside else "")
    lose = f"{title} lose {lost.percent:.0f} % between them, and"
    if beside is None:
        raise LabError(f"{lose} the packet loss of the control {control.title} is unknown; {stream.seen}")
    seen = f"{stream.seen}; control: {control.seen}"
    if beside.percent > limit:
        raise LabError(f"{lose} the control {both} {beside.percent:.0f} %; {seen}")
    raise ProductFault(
        f"{title} should lose at most {limit} % of pings (LOSS_LIMIT), but lost {lost.percent:.0f} %; {seen}"
    )
