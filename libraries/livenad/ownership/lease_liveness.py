# SPDX-License-Identifier: Apache-2.0
"""Lease liveness: a lease has expired when it was watched for its whole duration, and in that time neither it nor any
other lease of its run was seen to be renewed.

Times in leases are not compared with the local clock, as clocks of machines differ. Each process measures for how long
it has watched a lease. Time without a watch does not count: while the API server is down, no run can renew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

from livenad.api.client import Cluster
from livenad.api.kinds import Object, dig, meta

LEASE_SECONDS = 30
"""A lease that is not renewed for this number of seconds belongs to an aborted run."""

RENEW_SECONDS = 5.0

_MOST_PER_LOOK = 10.0
"""The maximum number of seconds between two reads that counts as watched."""

_LONGEST = 600.0


@dataclass
class _Renewal:
    state: tuple[str, ...]
    at: float
    quiet: float = 0.0


class LeaseLiveness:
    """The leases that one process has watched. Each method needs a lease that was read just now."""

    _known: ClassVar[WeakKeyDictionary[Cluster, LeaseLiveness]] = WeakKeyDictionary()

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sights: dict[tuple[str, str], _Renewal] = {}
        self._runs: dict[str, _Renewal] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, cluster: Cluster) -> LeaseLiveness:
        """The leases of a cluster that this process has watched."""
        return cls._known.setdefault(cluster, cls())

    def is_expired(self, lease: Object) -> bool:
        """Whether a lease was watched for its whole duration and its run renewed nothing."""
        return self.seconds_left(lease) <= 0

    def seconds_left(self, lease: Object) -> float:
        """The seconds until a lease expires, if its run renews nothing."""
        return _duration(lease) - self.look(lease)

    def look(self, lease: Object) -> float:
        """The seconds for which the lease was watched and its run renewed nothing that was seen."""
        place, state, now = (str(meta(lease, "namespace")), str(meta(lease, "name"))), sign_of(lease), self._clock()
        run = str(dig(lease, "spec", "holderIdentity"))
        with self._lock:
            known = self._sights.get(place)
            whole = self._runs.setdefault(run, _Renewal((), now))
            if known is None or known.state != state:
                self._sights[place] = _Renewal(state, now)
                if known is not None:
                    self._runs[run] = _Renewal((), now)
                return 0.0
            for seen in (known, whole):
                seen.quiet += min(now - seen.at, _MOST_PER_LOOK)
                seen.at = now
            return min(known.quiet, whole.quiet)


def sign_of(lease: Object) -> tuple[str, ...]:
    """The fields that differ after each renewal."""
    parts = meta(lease, "uid"), dig(lease, "spec", "holderIdentity"), dig(lease, "spec", "renewTime")
    return tuple(str(part) for part in parts)


def _duration(lease: Object) -> float:
    written = dig(lease, "spec", "leaseDurationSeconds")
    return min(float(written), _LONGEST) if isinstance(written, int | float) and written > 0 else float(LEASE_SECONDS)
