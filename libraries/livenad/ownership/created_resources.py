"""The created: what this run created, removed last-in first-out; and the leases that say that the run is alive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from livenad.api.client import Cluster
from livenad.api.kinds import Kind, Object, meta
from livenad.errors import LabError, Unreachable
from livenad.ownership.labels import mark
from livenad.ownership.leases import LeaseKeeper


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


class CreatedResources:
    """Creates objects with the run's label, remembers and removes them. Safe for use by several threads."""

    def __init__(self, cluster: Cluster, run_id: str) -> None:
        self.run_id = run_id
        self.lease = LeaseKeeper(cluster, run_id)
        self._cluster = cluster
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def create(self, kind: Kind, body: Object) -> Object:
        """Create ``body``, marked as this run's, and remember it."""
        stored = self._cluster.create(kind, mark(body, self.run_id))
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

        The API server has accepted each deletion when this returns; finalizers may take their time after that. One that
        cannot be reached is waited for once, not for each object.
        """
        leftovers, silent = [], False
        for entry in reversed(self.entries):
            if not chosen(entry):
                continue
            if silent:
                leftovers.append(f"{entry.title} could not be removed either")
                continue
            try:
                self._cluster.delete(entry.kind, entry.name, entry.namespace, entry.uid)
            except LabError as error:
                silent = isinstance(error, Unreachable)
                leftovers.append(f"{entry.title} could not be removed: {error}")
                continue
            with self._lock:
                self._entries.remove(entry)
        return leftovers

    def forget(self, chosen: Callable[[Entry], bool]) -> None:
        """Remember the chosen objects no more: they go with their namespace, or with their owner."""
        with self._lock:
            self._entries = [entry for entry in self._entries if not chosen(entry)]
