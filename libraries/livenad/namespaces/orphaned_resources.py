# SPDX-License-Identifier: Apache-2.0
"""Orphaned resources: objects of aborted runs, found by the run label, told from those of active runs, removed."""

from __future__ import annotations

from dataclasses import dataclass

from livenad.api.api_errors import ApiError
from livenad.api.kinds import ACCOUNT, BINDING, LEASE, NAD, NAMESPACE, SECRET, VM, Kind, Object, meta
from livenad.api.recorder import Heartbeat, silent
from livenad.errors import LabError
from livenad.networks.cudn import CLUSTER_NETWORK
from livenad.networks.leasebook import PURPOSE_LABEL, LeaseBook
from livenad.networks.nmstate_policies import POLICY, remove_policy
from livenad.ownership.active_runs import active_runs
from livenad.ownership.labels import LIFE_NOTE, RUN_LABEL, mark, run_of
from livenad.ownership.leases import remove_lease
from livenad.ownership.removal import await_gone, await_no_guests
from livenad.virtual_machines.manifests import cloud_init_name

_REMOVAL_SECONDS = 120.0
_ANYWHERE = (NAMESPACE, CLUSTER_NETWORK, POLICY, NAD)
"""Kinds that are searched on the whole cluster; all others are removed with their namespace."""

_IN_HOME = (VM, SECRET, NAD, ACCOUNT, BINDING, LEASE)
"""Kinds that are searched in a shared namespace, in the order of removal."""


@dataclass(frozen=True)
class OrphanedResource:
    """An object of an aborted run."""

    kind: Kind
    item: Object

    @property
    def name(self) -> str:
        return str(meta(self.item, "name"))

    @property
    def namespace(self) -> str | None:
        return str(meta(self.item, "namespace")) or None

    @property
    def title(self) -> str:
        return f"{self.kind.title(self.namespace, self.name)} of run {run_of(self.item)}"


class OrphanedResources:
    """The search is part of the construction, up to 30 seconds; only `remove` changes anything.

    ``home`` is a namespace that all runs share, "" for none; it is kept. ``unseen`` has a line for each kind that the
    user has no right to list; a run with the same rights cannot have created any.
    """

    def __init__(self, book: LeaseBook, home: str = "", heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._cluster = book.cluster
        self._home = home
        self._heartbeat = heartbeat
        self.unseen: list[str] = []
        labelled = self._labelled()
        runs = {run_of(found.item) for found in labelled} - {book.run_id}
        active = active_runs(self._cluster, runs, self._places(labelled), heartbeat)
        self.found = [found for found in labelled if run_of(found.item) in runs - active]

    @property
    def namespaces(self) -> list[str]:
        """Names of the namespaces that aborted runs left."""
        return [found.name for found in self.found if found.kind is NAMESPACE]

    @property
    def titles(self) -> list[str]:
        """The objects that were found, each with its run."""
        return [found.title for found in self.found]

    def remove(self, within: float) -> list[str]:
        """Remove all that was found; returns a line for each object that remains. ``within``: seconds for NMState."""
        left = self._delete(VM)
        left += self._delete(NAMESPACE)
        # A namespace is removed only after its network, and the network only after the last launcher pod.
        left += self._delete(CLUSTER_NETWORK)
        left += await_gone(self._cluster, self.namespaces, _REMOVAL_SECONDS, self._heartbeat)
        for run in sorted({run_of(found.item) for found in self._of(VM)}):
            left += await_no_guests(self._cluster, self._home, run, _REMOVAL_SECONDS, self._heartbeat)
        left += self._delete(*(kind for kind in _IN_HOME if kind not in (VM, LEASE)))
        for found in self._of(POLICY):
            try:
                remove_policy(self._cluster, found.item, within, self._heartbeat)
            except LabError as error:
                left.append(f"policy {found.name} could not be reverted: {error}")
        for found in self._of(LEASE):
            if PURPOSE_LABEL not in meta(found.item, "labels"):
                remove_lease(self._cluster, found.item)
        self._book.remove_expired()
        return left

    def _labelled(self) -> list[OrphanedResource]:
        """All objects that any run created, except those in a namespace that a run created."""
        found = [OrphanedResource(kind, item) for kind in _ANYWHERE for item in self._list(kind)]
        found += [
            OrphanedResource(kind, item) for kind in _IN_HOME if self._home for item in self._list(kind, self._home)
        ]
        found += [OrphanedResource(LEASE, item) for item in self._book.entries()]
        found += self._secrets(found)
        going = {item.name for item in found if item.kind is NAMESPACE}
        unique = {(item.kind, item.namespace, item.name): item for item in found if item.namespace not in going}
        return list(unique.values())

    @staticmethod
    def _secrets(found: list[OrphanedResource]) -> list[OrphanedResource]:
        """Secrets of VMs, by name, which has the run's id: the user may have no right to list or read Secrets."""
        seen = {(item.namespace, item.name) for item in found if item.kind is SECRET}
        missing = [
            (item, cloud_init_name(item.name))
            for item in found
            if item.kind is VM and (item.namespace, cloud_init_name(item.name)) not in seen
        ]
        return [
            OrphanedResource(SECRET, mark({"metadata": {"name": name, "namespace": vm.namespace}}, run_of(vm.item)))
            for vm, name in missing
            if run_of(vm.item) in name
        ]

    def _places(self, labelled: list[OrphanedResource]) -> set[str]:
        """Namespaces that may have leases of these runs."""
        named = {str(meta(found.item, "annotations", {}).get(LIFE_NOTE, "")) for found in labelled}
        return (
            named | {found.name for found in labelled if found.kind is NAMESPACE} | {self._book.namespace, self._home}
        )

    def _list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        try:
            listed = self._cluster.list(kind, namespace, RUN_LABEL).items
        except ApiError as error:
            if error.status == 403:
                where = f"in namespace {namespace}" if namespace else "on the whole cluster"
                self.unseen.append(f"no right to list {kind.name} objects {where}, so none were searched")
            elif error.status != 404:
                raise
            return []
        return [item for item in listed if run_of(item)]

    def _of(self, *kinds: Kind) -> list[OrphanedResource]:
        return [found for kind in kinds for found in self.found if found.kind is kind]

    def _delete(self, *kinds: Kind) -> list[str]:
        left = []
        for found in self._of(*kinds):
            if meta(found.item, "deletionTimestamp", None):
                continue
            try:
                self._cluster.delete(found.kind, found.name, found.namespace, str(meta(found.item, "uid")))
            except LabError as error:
                left.append(f"{found.title} could not be removed: {error}")
        return left
