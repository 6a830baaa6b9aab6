"""What was measured between the guests of a suite, and the measurements that are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livenad.guest.guests import Guests
    from livenad.reachability.probes import ProbeRun
    from livenad.reachability.windows import Between, LossWatch, PairWatch, SilenceWatch


class Measurements:
    """``measured`` is all that has ended, oldest first; the others are open, for a later verdict."""

    def __init__(self, guests: Guests) -> None:
        self.guests = guests
        self.measured: list[ProbeRun] = []
        self.watches: dict[Between, SilenceWatch] = {}
        self.pair_watches: dict[Between, PairWatch] = {}
        self.streams: dict[Between, LossWatch] = {}

    def keep(self, run: ProbeRun) -> None:
        """Keep what was measured, for the verdicts and for a chart."""
        self.measured.append(run)
        self.guests.tell_warnings()
