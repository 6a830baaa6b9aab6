"""What dead runs left on the cluster: found by label, told from living runs by their leases, removed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from testbed.cluster.api_errors import ApiError
from testbed.cluster.client import Cluster
from testbed.objects.kinds import LEASE, NAMESPACE, Object, dig, meta
from testbed.objects.labels import RUN_LABEL
from testbed.objects.leases import LEASE_SECONDS, is_alive, parse_timestamp
from testbed.recording.history import History
from testbed.recording.recorder import Heartbeat, silent
from testbed.recording.watch import WatchStream


@dataclass(frozen=True)
class Leftover:
    """A namespace that a dead run left."""

    namespace: str
    run_id: str
    uid: str


def find_leftovers(
    cluster: Cluster, own_run: str | None, heartbeat: Heartbeat = silent, lease_namespace: str = ""
) -> list[Leftover]:
    """Namespaces of dead runs. Of a run whose lease is neither fresh nor stale its next renewal is awaited.

    A run is alive when a lease in any of its namespaces, or of its in ``lease_namespace``, is renewed; one without a
    lease died as it began, once its namespace is older than a lease would be. Takes up to 30 seconds.
    """
    runs: dict[str, list[Object]] = {}
    for namespace in namespaces_of_runs(cluster):
        run_id = str(meta(namespace, "labels")[RUN_LABEL])
        if run_id != own_run and not meta(namespace, "deletionTimestamp", None):
            runs.setdefault(run_id, []).append(namespace)
    return [
        Leftover(str(meta(namespace, "name")), run_id, str(meta(namespace, "uid")))
        for run_id, namespaces in runs.items()
        if not run_lives(cluster, run_id, namespaces, heartbeat, lease_namespace)
        for namespace in namespaces
    ]


def namespaces_of_runs(cluster: Cluster) -> list[Object]:
    """The namespaces that runs made; none where we may not list them: then we may not make any either."""
    try:
        return cluster.list(NAMESPACE, labels=RUN_LABEL).items
    except ApiError as error:
        if error.status == 403:
            return []
        raise


def remove_leftovers(cluster: Cluster, leftovers: list[Leftover]) -> None:
    """Delete the namespaces of dead runs, and with them all that is in them."""
    for leftover in leftovers:
        cluster.delete(NAMESPACE, leftover.namespace, uid=leftover.uid)


def run_lives(
    cluster: Cluster,
    run_id: str,
    namespaces: list[Object],
    heartbeat: Heartbeat = silent,
    lease_namespace: str = "",
) -> bool:
    """Whether a run renews a lease in one of its ``namespaces`` or one in ``lease_namespace``; takes up to 30 s."""
    history = History()
    names = [str(meta(item, "name")) for item in namespaces] + ([lease_namespace] if lease_namespace else [])
    streams = [WatchStream(cluster, history, LEASE, name, labels=f"{RUN_LABEL}={run_id}") for name in names]
    for stream in streams:
        stream.start()
    try:
        for stream in streams:
            stream.wait_synced(LEASE_SECONDS)
        start = len(history)
        left = _seconds_left(cluster, history, namespaces)
        if left <= 0:
            return False
        heartbeat(f"is run {run_id} alive? its lease is renewed within {left:.0f} s, or it is not")
        renewed = history.wait(lambda: len(history) > start, time.monotonic() + left)
        return bool(renewed) and any(is_alive(lease, cluster.server_time()) for lease in history.all(LEASE))
    finally:
        for stream in streams:
            stream.stop()


def _seconds_left(cluster: Cluster, history: History, namespaces: list[Object]) -> float:
    """For how long the youngest sign of life of a run is still good."""
    signs = [parse_timestamp(str(meta(item, "creationTimestamp"))) for item in namespaces]
    signs += [
        parse_timestamp(str(dig(lease, "spec", "renewTime") or meta(lease, "creationTimestamp")))
        for lease in history.all(LEASE)
    ]
    return max(signs, default=0.0) + LEASE_SECONDS - cluster.server_time()
