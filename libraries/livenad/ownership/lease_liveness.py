"""Which leases are dead: those that were watched for a whole duration and not renewed.

Times in leases are not compared with any clock of ours: machines may disagree on what time it is, but each can tell for
how long it has been looking. What was not looked at does not count: while the API server is away, nobody can renew.
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
"""A lease that is not renewed for so long belongs to a dead run."""

RENEW_SECONDS = 5.0

_MOST_PER_LOOK = 10.0
"""So many seconds between two looks count, however long ago the former was."""

_LONGEST = 600.0


@dataclass
class _Renewal:
    sign: tuple[str, ...]
    at: float
    quiet: float = 0.0


class LeaseLiveness:
    """What one process saw of leases. A lease that is given to any of these must have been read just now."""

    _known: ClassVar[WeakKeyDictionary[Cluster, LeaseLiveness]] = WeakKeyDictionary()

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sights: dict[tuple[str, str], _Renewal] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, cluster: Cluster) -> LeaseLiveness:
        """What this process saw of the leases of a cluster."""
        return cls._known.setdefault(cluster, cls())

    def is_expired(self, lease: Object) -> bool:
        """Whether a lease was looked at for its whole duration and was the same at each look."""
        return self.seconds_left(lease) <= 0

    def seconds_left(self, lease: Object) -> float:
        """For how long a lease is to be looked at before it is dead, if it is not renewed."""
        return _duration(lease) - self._look(lease)

    def _look(self, lease: Object) -> float:
        """For how long, in seconds, the lease is known to have been as it is."""
        place, sign, now = (str(meta(lease, "namespace")), str(meta(lease, "name"))), sign_of(lease), self._clock()
        with self._lock:
            known = self._sights.get(place)
            if known is None or known.sign != sign:
                self._sights[place] = _Renewal(sign, now)
                return 0.0
            known.quiet += min(now - known.at, _MOST_PER_LOOK)
            known.at = now
            return known.quiet


def sign_of(lease: Object) -> tuple[str, ...]:
    """What is different after each renewal."""
    parts = meta(lease, "uid"), dig(lease, "spec", "holderIdentity"), dig(lease, "spec", "renewTime")
    return tuple(str(part) for part in parts)


def _duration(lease: Object) -> float:
    written = dig(lease, "spec", "leaseDurationSeconds")
    return min(float(written), _LONGEST) if isinstance(written, int | float) and written > 0 else float(LEASE_SECONDS)
