# SPDX-License-Identifier: Apache-2.0
"""Measures how long a state has lasted, in seconds of the real control plane.

The API's timestamps are whole seconds. At several times the real speed that is too coarse for delays, so this process
measures what it has seen happen by its own clock.
"""

from __future__ import annotations

from emulator.kube.timestamps import now, parse_timestamp
from emulator.pace import Pace, clock


class ElapsedTimes:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._started: dict[str, float] = {}

    def start(self, key: str) -> None:
        """Starts to measure the time of ``key``."""
        self._started[key] = clock()

    def since(self, key: str, timestamp: str) -> float:
        """Seconds since the start of ``key``; measured by ``timestamp`` if this process did not see it."""
        if key in self._started:
            past = clock() - self._started[key]
        else:
            past = (now() - parse_timestamp(timestamp)).total_seconds()
        return past * self._pace.speed
