# SPDX-License-Identifier: Apache-2.0
"""Active runs: those that are seen to renew a lease."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import LEASE, Object, meta
from livenad.api.recorder import Heartbeat, silent
from livenad.api.watch import WatchStream
from livenad.errors import LabError
from livenad.ownership.labels import RUN_LABEL
from livenad.ownership.lease_liveness import LEASE_SECONDS, RENEW_SECONDS, LeaseLiveness, sign_of


def active_runs(
    cluster: Cluster, runs: Collection[str], namespaces: Collection[str], heartbeat: Heartbeat = silent
) -> set[str]:
    """Those of ``runs`` that renew a lease in any namespace; in ``namespaces`` without the right to list all leases.

    Takes the duration of a lease, about 30 seconds, when any of the runs was aborted. A run without a lease was aborted
    at its start. ApiError without the right to list leases in ``namespaces``.
    """
    if not runs:
        return set()
    places = _readable(cluster, namespaces)
    liveness = LeaseLiveness.of(cluster)
    first: dict[str, dict[tuple[str, ...], None]] | None = None
    active: set[str] = set()
    nothing_seen, looked = dict.fromkeys(runs, 0.0), time.monotonic()
    with _renewals(cluster, places) as history:
        while True:
            known, now = len(history), time.monotonic()
            leases = _leases_of(cluster, runs, places)
            renewals = {run: dict.fromkeys(sign_of(item) for item in leases.get(run, [])) for run in runs}
            first = first or renewals
            active |= {run for run in runs if any(renewal not in first[run] for renewal in renewals[run])}
            open_ends = {
                run: max(left)
                for run in set(runs) - active
                if (left := _left(leases.get(run, []), liveness, nothing_seen[run])) and max(left) > 0
            }
            if not open_ends:
                return active
            for run in nothing_seen:
                nothing_seen[run] += 0 if leases.get(run) else min(now - looked, 2 * RENEW_SECONDS)
            looked = now
            longest = max(open_ends.values())
            whose = f"runs {', '.join(sorted(open_ends))}"
            heartbeat(f"checking whether {whose} are active; known in {longest:.0f} s, or when they renew a lease")
            history.wait(
                lambda known=known, waiting=set(open_ends): _news(history, known, waiting),  # type: ignore[misc]
                now + min(longest, RENEW_SECONDS),
            )


def _left(leases: list[Object], liveness: LeaseLiveness, nothing_seen: float) -> list[float]:
    """The seconds until each lease expires."""
    return [liveness.seconds_left(lease) for lease in leases] or [LEASE_SECONDS - nothing_seen]


def _readable(cluster: Cluster, namespaces: Collection[str]) -> list[str | None]:
    """The namespaces to list leases in: [None], which is all, if the user has the right."""
    try:
        cluster.list(LEASE, None, RUN_LABEL)
    except ApiError as error:
        if error.status != 403:
            raise
        return [name for name in dict.fromkeys(namespaces) if name]
    return [None]


def _leases_of(cluster: Cluster, runs: Collection[str], places: list[str | None]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for place in places:
        for lease in cluster.list(LEASE, place, RUN_LABEL).items:
            run = str(meta(lease, "labels")[RUN_LABEL])
            if run in runs:
                found.setdefault(run, []).append(lease)
    return found


@contextmanager
def _renewals(cluster: Cluster, places: list[str | None]) -> Iterator[History]:
    """The events of leases of runs: they end the wait, so that an active run is detected at once."""
    history = History()
    streams = [WatchStream(cluster, history, LEASE, place, labels=RUN_LABEL) for place in places]
    for stream in streams:
        stream.start()
    try:
        for stream in streams:
            with suppress(LabError):  # without the right to watch, leases are listed every few seconds
                stream.wait_synced(RENEW_SECONDS)
        yield history
    finally:
        for stream in streams:
            stream.stop()


def _news(history: History, known: int, waiting: Collection[str]) -> bool:
    return any(
        meta(record.object, "labels", {}).get(RUN_LABEL) in waiting for record in history.records(LEASE, since=known)
    )
