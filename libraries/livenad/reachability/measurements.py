# SPDX-License-Identifier: Apache-2.0
"""Finished and running measurements between the guests of a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livenad.api.history import History
from livenad.verdict_log import VerdictLog

if TYPE_CHECKING:
    from livenad.guest.guests import Guests
    from livenad.reachability.probes import ProbeRun
    from livenad.reachability.windows import Between, LossWatch, PairWatch, SilenceWatch


class Measurements:
    """``measured`` are the finished ones, oldest first; the others are running, for a later verdict.

    ``unobservable`` are kinds of traffic that cannot be observed between these guests, with the reason. ``rates`` are
    the first Mbit/s of transfers, by VM, NIC, whether the VM sent, and IP version; ``times`` the seconds of the
    quickest first answers, by protocol and the same.

    ``on_pod_network`` is what crossed the pod network between two VMs before a change: sending guest and protocol.
    ``pod_times`` are the seconds of the quickest answers then, by protocol and sending guest.
    ``verdicts`` keeps what was judged; it is that of the suite.
    """

    def __init__(self, guests: Guests, verdicts: VerdictLog | None = None) -> None:
        self.guests = guests
        self.verdicts = verdicts or VerdictLog(History())
        self.measured: list[ProbeRun] = []
        self.watches: dict[Between, SilenceWatch] = {}
        self.pair_watches: dict[Between, PairWatch] = {}
        self.streams: dict[Between, LossWatch] = {}
        self.unobservable: dict[str, str] = {}
        self.rates: dict[tuple[str, str, bool, int], float] = {}
        self.on_pod_network: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        self.pod_times: dict[tuple[str, str], dict[str, float]] = {}
        self.times: dict[tuple[str, str, str, bool, int], float] = {}

    def keep(self, run: ProbeRun) -> None:
        """Store a finished measurement, for the verdicts and for a chart."""
        self.measured.append(run)
        self.guests.tell_warnings()
