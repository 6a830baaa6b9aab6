"""The ledger: what this run created, removed last-in first-out; and the lease that says that the run is alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from testbed.cluster.client import Cluster
from testbed.errors import LabError
from testbed.objects.kinds import LEASE, Kind, Object, dig, meta
from testbed.objects.labels import RUN_LABEL

logger = logging.getLogger(__name__)

LEASE_NAME = "kubevirt-nad-tests-run"
LEASE_SECONDS = 30
"""A lease that was not renewed for so long belongs to a dead run."""

RENEW_SECONDS = 5.0


@dataclass(frozen=True)
class Entry:
    """An object that this run created."""

    kind: Kind
    name: str
    namespace: str | None
    uid: str

    @property
    def title(self) -> str:
        return self.kind.title(self.namespace, self.name)


class Ledger:
    """Creates objects with the run's label, remembers and removes them. Safe for use by several threads."""

    def __init__(self, cluster: Cluster, run_id: str) -> None:
        self.run_id = run_id
        self.lease = LeaseKeeper(cluster, run_id)
        self._cluster = cluster
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def create(self, kind: Kind, body: Object) -> Object:
        """Create ``body``, labelled as this run's, and remember it."""
        metadata = body.setdefault("metadata", {})
        metadata["labels"] = {**metadata.get("labels", {}), RUN_LABEL: self.run_id}
        stored = self._cluster.create(kind, body)
        with self._lock:
            self._entries.append(
                Entry(kind, str(meta(stored, "name")), meta(stored, "namespace", None), str(meta(stored, "uid")))
            )
        return stored

    @property
    def entries(self) -> list[Entry]:
        """What was created and not removed yet, oldest first."""
        with self._lock:
            return list(self._entries)

    def remove(self, chosen: Callable[[Entry], bool] = lambda _: True) -> list[str]:
        """Delete the chosen objects, youngest first; "already gone" is fine. Gives a line for each that stays.

        The API server has accepted each deletion when this returns; finalizers may take their time after that.
        """
        leftovers = []
        for entry in reversed(self.entries):
            if not chosen(entry):
                continue
            try:
                self._cluster.delete(entry.kind, entry.name, entry.namespace, entry.uid)
            except LabError as error:
                leftovers.append(f"{entry.title} could not be removed: {error}")
                continue
            with self._lock:
                self._entries.remove(entry)
        return leftovers


class LeaseKeeper:
    """Renews a Lease of this run in each of its namespaces, every few seconds from a thread of its own."""

    def __init__(self, cluster: Cluster, run_id: str) -> None:
        self._cluster = cluster
        self._run_id = run_id
        self._namespaces: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, namespace: str) -> None:
        """Create the lease in ``namespace`` and keep it fresh until `release` or `stop`."""
        now = _timestamp(self._cluster.server_time())
        self._cluster.create(
            LEASE,
            {
                "apiVersion": LEASE.api_version,
                "kind": LEASE.name,
                "metadata": {"name": LEASE_NAME, "namespace": namespace, "labels": {RUN_LABEL: self._run_id}},
                "spec": {
                    "holderIdentity": self._run_id,
                    "leaseDurationSeconds": LEASE_SECONDS,
                    "acquireTime": now,
                    "renewTime": now,
                },
            },
        )
        with self._lock:
            self._namespaces.add(namespace)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
                self._thread.start()

    def release(self, namespace: str) -> None:
        """Renew the lease of a namespace no more; it goes with the namespace."""
        with self._lock:
            self._namespaces.discard(namespace)

    def stop(self) -> None:
        """Renew nothing any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            with self._lock:
                namespaces = sorted(self._namespaces)
            for namespace in namespaces:
                try:
                    self._renew(namespace)
                except LabError as error:
                    logger.debug("lease in %s not renewed: %s", namespace, error)

    def _renew(self, namespace: str) -> None:
        renewed = _timestamp(self._cluster.server_time())
        self._cluster.json_patch(
            LEASE,
            LEASE_NAME,
            namespace,
            [{"op": "replace", "path": "/spec/renewTime", "value": renewed}],
            done=lambda lease: bool(dig(lease, "spec", "renewTime") == renewed),
        )


def is_alive(lease: Object, now: float) -> bool:
    """Whether a run's lease was renewed within its duration; ``now`` by the API server's clock, as its writer's."""
    renewed = dig(lease, "spec", "renewTime") or meta(lease, "creationTimestamp")
    duration = dig(lease, "spec", "leaseDurationSeconds", default=LEASE_SECONDS)
    return now - parse_timestamp(str(renewed)) <= float(duration)


def parse_timestamp(text: str) -> float:
    """Seconds since the epoch of a Kubernetes time such as ``2026-11-22T16:12:36Z``, with or without a fraction."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
