# SPDX-License-Identifier: Apache-2.0
"""The queue of many migrations as a chart: a lane for each VM, from its edit to its arrival."""

from __future__ import annotations

import math
from collections.abc import Sequence

from livenad.migrations.migration_queue import QueuedMigration
from livenad.report.timeline import AFTER, Lane, Span, Timeline, Tone

_MOST = 60
"""Lanes of a chart that can still be read."""


def queue_timeline(title: str, queue: Sequence[QueuedMigration], end: float) -> Timeline:
    """``end``: until when, in seconds after the first edit; the last span of an incomplete VM is open.

    Of many VMs a part is drawn, evenly chosen in the order of their arrival, with the quickest and the slowest.
    """
    arrived = [one.complete for one in queue if one.complete is not None]
    complete = max(arrived) if len(arrived) == len(queue) else None
    shown = _drawn(queue)
    if len(shown) < len(queue):
        title = f"{title}; {len(shown)} of them drawn, in the order of their arrival"
    lanes = tuple(Lane(one.vm, tuple(_spans(one, end))) for one in shown)
    return Timeline(title, lanes, max(1.0, (complete or end) * AFTER), complete, None)


def _drawn(queue: Sequence[QueuedMigration]) -> Sequence[QueuedMigration]:
    """As they are, if they are few; VMs that did not arrive come last."""
    if len(queue) <= _MOST:
        return queue
    ordered = sorted(queue, key=lambda one: math.inf if one.complete is None else one.complete)
    return [ordered[round(number * (len(queue) - 1) / (_MOST - 1))] for number in range(_MOST)]


def _spans(one: QueuedMigration, end: float) -> list[Span]:
    """The spans: before the migration object exists, in the queue, migrating, and until the swap is complete."""
    steps = (
        (one.edited, one.made, "edited", Tone.CALM),
        (one.made, one.begun, "waits", Tone.WAIT),
        (one.begun, one.ended, "migrates", Tone.BUSY),
        (one.ended, one.complete, "settles", Tone.GOOD),
    )
    spans = []
    for start, stop, label, tone in steps:
        if start is None:
            break
        last = end if stop is None else stop
        if last > start:
            spans.append(Span(start, last, label, tone, open=stop is None))
        if stop is None:
            break
    return spans
