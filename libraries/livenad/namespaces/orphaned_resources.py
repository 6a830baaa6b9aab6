"""What dead runs left on the cluster: found by its marks, told from what living runs have, removed."""

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
"""What is looked for on the whole cluster; all else goes with its namespace."""

_IN_HOME = (VM, SECRET, NAD, ACCOUNT, BINDING, LEASE)
"""What is looked for in a namespace that runs share, in the order of removal."""


@dataclass(frozen=True)
class OrphanedResource:
    """An object of a dead run."""

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
    """Found when it is made, which takes up to 30 seconds; nothing is changed before `remove`.

    ``home`` is a namespace that an administrator gave to all runs, "" where there is none: it is kept. ``unseen`` has a
    line for each kind of object that may not be listed: neither has a run with the same rights made any.
    """

    def __init__(self, book: LeaseBook, home: str = "", heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._cluster = book.cluster
        self._home = home
        self._heartbeat = heartbeat
        self.unseen: list[str] = []
        marked = self._marked()
        runs = {run_of(found.item) for found in marked} - {book.run_id}
        living = active_runs(self._cluster, runs, self._places(marked), heartbeat)
        self.found = [found for found in marked if run_of(found.item) in runs - living]

    @property
    def namespaces(self) -> list[str]:
        """Names of the namespaces that dead runs left."""
        return [found.name for found in self.found if found.kind is NAMESPACE]

    @property
    def titles(self) -> list[str]:
        """What was found, each with its run."""
        return [found.title for found in self.found]

    def remove(self, within: float) -> list[str]:
        """Remove all that was found; a line for each thing that stays. ``within``: for NMState, in seconds."""
        left = self._delete(VM)
        left += self._delete(NAMESPACE)
        # A namespace does not go before its network, nor that before the last launcher pod.
        left += self._delete(CLUSTER_NETWORK)
        left += await_gone(self._cluster, self.namespaces, _REMOVAL_SECONDS, self._heartbeat)
        for run in sorted({run_of(found.item) for found in self._of(VM)}):
            left += await_no_guests(self._cluster, self._home, run, _REMOVAL_SECONDS, self._heartbeat)
        left += self._delete(*(kind for kind in _IN_HOME if kind not in (VM, LEASE)))
        for found in self._of(POLICY):
            try:
                remove_policy(self._cluster, found.item, within, self._heartbeat)
            except LabError as error:
                left.append(f"policy {found.name} could not be undone: {error}")
        for found in self._of(LEASE):
            if PURPOSE_LABEL not in meta(found.item, "labels"):
                remove_lease(self._cluster, found.item)
        self._book.remove_expired()
        return left

    def _marked(self) -> list[OrphanedResource]:
        """All that any run has created, but for what goes with a namespace that a run has created."""
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
        """Those of VMs whose Secrets may neither be listed nor read: known by name, which holds the run's id."""
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

    def _places(self, marked: list[OrphanedResource]) -> set[str]:
        """Where leases of these runs may be."""
        named = {str(meta(found.item, "annotations", {}).get(LIFE_NOTE, "")) for found in marked}
        return named | {found.name for found in marked if found.kind is NAMESPACE} | {self._book.namespace, self._home}

    def _list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        try:
            listed = self._cluster.list(kind, namespace, RUN_LABEL).items
        except ApiError as error:
            if error.status == 403:
                where = f"in namespace {namespace}" if namespace else "on the whole cluster"
                self.unseen.append(f"{kind.name} objects may not be listed {where}, so none were looked for")
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
