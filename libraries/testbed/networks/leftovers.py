"""What dead runs left outside their namespaces: policies of NMState, networks of OVN-Kubernetes, leases."""

from __future__ import annotations

from testbed.cluster.api_errors import ApiError
from testbed.cluster.client import Cluster
from testbed.errors import LabError
from testbed.networks.cluster_networks import CLUSTER_NETWORK
from testbed.networks.leasebook import LeaseBook
from testbed.networks.policies import POLICY, remove_policy
from testbed.objects.kinds import Kind, Object, meta
from testbed.objects.labels import RUN_LABEL
from testbed.objects.leftovers import run_lives
from testbed.recording.recorder import Heartbeat, silent


class NetworkLeftovers:
    """Found when it is made; ``dead`` are runs that are known to be dead. Takes up to 30 seconds."""

    def __init__(self, book: LeaseBook, dead: set[str], heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._heartbeat = heartbeat
        self._dead = set(dead)
        self._networks = self._find(CLUSTER_NETWORK)
        self._policies = self._find(POLICY)

    @property
    def titles(self) -> list[str]:
        """What was found, each with its run."""
        found = [(CLUSTER_NETWORK, item) for item in self._networks] + [(POLICY, item) for item in self._policies]
        return [f"{kind.title(None, str(meta(item, 'name')))} of run {_run_of(item)}" for kind, item in found]

    def release_namespaces(self) -> None:
        """Delete the networks that would keep their namespaces from going; they go after the last launcher pod."""
        for item in self._networks:
            self._book.cluster.delete(CLUSTER_NETWORK, str(meta(item, "name")), uid=str(meta(item, "uid")))

    def remove(self, within: float) -> list[str]:
        """Undo the policies and clear the leases, when the namespaces are gone; a line for each thing that stays."""
        left = []
        for item in self._policies:
            try:
                remove_policy(self._book.cluster, item, within, self._heartbeat)
            except LabError as error:
                left.append(f"policy {meta(item, 'name')} could not be undone: {error}")
        self._book.clear_dead()
        return left

    def _find(self, kind: Kind) -> list[Object]:
        return [item for item in _labelled(self._book.cluster, kind) if self._is_dead(_run_of(item))]

    def _is_dead(self, run_id: str) -> bool:
        if run_id == self._book.run_id:
            return False
        if run_id not in self._dead:
            if run_lives(self._book.cluster, run_id, [], self._heartbeat, self._book.namespace):
                return False
            self._dead.add(run_id)
        return True


def _labelled(cluster: Cluster, kind: Kind) -> list[Object]:
    """Objects of runs; none where the kind is not served, or not for us: then no run of ours has made any."""
    try:
        return cluster.list(kind, labels=RUN_LABEL).items
    except ApiError as error:
        if error.status in (403, 404):
            return []
        raise


def _run_of(item: Object) -> str:
    return str(meta(item, "labels")[RUN_LABEL])
