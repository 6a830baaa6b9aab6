"""How long something has lasted, in seconds of the real control plane.

Timestamps of the API are whole seconds; at several times the real speed that is too coarse to measure delays with, so
what this process has seen happen is measured by its own clock.
"""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.kube.timestamps import parse_timestamp
from emulator.pace import Pace, clock


class ElapsedTimes:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._started: dict[str, float] = {}

    def start(self, key: str) -> None:
        """Something called ``key`` happens now."""
        self._started[key] = clock()

    def since(self, key: str, timestamp: str) -> float:
        """Seconds since ``key`` happened; by ``timestamp`` where this process did not see it."""
        if key in self._started:
            past = clock() - self._started[key]
        else:
            past = (datetime.now(UTC) - parse_timestamp(timestamp)).total_seconds()
        return past * self._pace.speed
