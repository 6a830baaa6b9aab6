# SPDX-License-Identifier: Apache-2.0
"""Created resources: the objects of this run, removed last-in first-out; and the leases that show that it is active."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from livenad.api.client import Cluster
from livenad.api.kinds import VM, Kind, Object, meta
from livenad.errors import LabError, Unreachable
from livenad.ownership.labels import mark
from livenad.ownership.leases import LeaseKeeper

_AT_ONCE = 8


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
    """Creates objects with the run's label, records and removes them. Thread-safe."""

    def __init__(self, cluster: Cluster, run_id: str) -> None:
        self.run_id = run_id
        self.vms = 0
        """How many VMs the run has created so far, those that are gone included."""
        self.lease = LeaseKeeper(cluster, run_id)
        self._cluster = cluster
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def create(self, kind: Kind, body: Object) -> Object:
        """Create ``body``, with the run's label, and record it."""
        stored = self._cluster.create(kind, mark(body, self.run_id))
        with self._lock:
            self.vms += kind is VM
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
        """Delete the chosen objects, newest first; returns a line for each that remains. "Already gone" is no error.

        Objects of one kind that were created one after another go in parallel. When this returns, the API server has
        accepted each deletion, but finalizers may still run. After a timeout of the API server no further object is
        tried, unless it has accepted some: a server that is only busy is asked for the others again.
        """
        while True:
            before, silent = len(self.entries), threading.Event()
            leftovers = self._remove_once(chosen, silent)
            if not silent.is_set() or len(self.entries) >= before:
                return leftovers

    def _remove_once(self, chosen: Callable[[Entry], bool], silent: threading.Event) -> list[str]:
        leftovers: list[str] = []
        with ThreadPoolExecutor(_AT_ONCE, "remove") as pool:
            for _, alike in groupby(filter(chosen, reversed(self.entries)), key=lambda entry: entry.kind):
                entries = list(alike)
                try:
                    told = list(pool.map(lambda entry: self._remove(entry, silent), entries))
                except RuntimeError:  # where the process is ending already, no thread can be started
                    told = [self._remove(entry, silent) for entry in entries]
                leftovers += filter(None, told)
        return leftovers

    def _remove(self, entry: Entry, silent: threading.Event) -> str:
        """Delete an object, "" when the API server has accepted that; else why it remains."""
        if silent.is_set():
            return f"{entry.title} was not removed either, as the API server cannot be reached"
        try:
            self._cluster.delete(entry.kind, entry.name, entry.namespace, entry.uid)
        except LabError as error:
            if isinstance(error, Unreachable):
                silent.set()
            return f"{entry.title} could not be removed: {error}"
        with self._lock:
            self._entries.remove(entry)
        return ""

    def forget(self, chosen: Callable[[Entry], bool]) -> None:
        """Drop the records of the chosen objects: they are removed with their namespace or owner."""
        with self._lock:
            self._entries = [entry for entry in self._entries if not chosen(entry)]
