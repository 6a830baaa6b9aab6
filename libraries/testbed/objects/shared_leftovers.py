"""What dead runs left in a namespace that runs share: found by label, told from living runs by their leases."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.cluster.api_errors import ApiError
from testbed.cluster.client import Cluster
from testbed.objects.kinds import ACCOUNT, BINDING, LEASE, NAD, SECRET, VM, Kind, Object, meta
from testbed.objects.labels import RUN_LABEL
from testbed.objects.leases import LEASE_NAME
from testbed.objects.leftovers import run_lives
from testbed.objects.manifests import cloud_init_name
from testbed.objects.removal import await_no_guests
from testbed.recording.recorder import Heartbeat, silent

_KINDS = (VM, SECRET, NAD, BINDING, ACCOUNT, LEASE)
"""In the order of their removal."""


@dataclass(frozen=True)
class SharedLeftover:
    """An object of a dead run; ``uid`` is empty where it was not seen and is known by its name only."""

    kind: Kind
    namespace: str
    name: str
    run_id: str
    uid: str = ""

    @property
    def title(self) -> str:
        return f"{self.kind.title(self.namespace, self.name)} of run {self.run_id}"


def find_shared_leftovers(
    cluster: Cluster, namespace: str, own_run: str, heartbeat: Heartbeat = silent, lease_namespace: str = ""
) -> list[SharedLeftover]:
    """Objects of dead runs in ``namespace``, in the order of their removal; takes up to 30 seconds.

    What may not be listed is left out, but for Secrets: those of VMs that are there are known by name.
    """
    found = [
        SharedLeftover(kind, namespace, str(meta(item, "name")), _run_of(item), str(meta(item, "uid")))
        for kind in _KINDS
        for item in _labelled(cluster, kind, namespace)
        if _run_of(item) != own_run and not (kind is LEASE and not str(meta(item, "name")).startswith(_SUITE_LEASE))
    ]
    home = {"metadata": {"name": namespace, "creationTimestamp": "1970-01-01T00:00:00Z"}}
    dead = {
        run_id
        for run_id in sorted({leftover.run_id for leftover in found})
        if not run_lives(cluster, run_id, [home], heartbeat, lease_namespace if lease_namespace != namespace else "")
    }
    return _with_secrets([leftover for leftover in found if leftover.run_id in dead])


def remove_shared_leftovers(
    cluster: Cluster, leftovers: list[SharedLeftover], within: float, heartbeat: Heartbeat = silent
) -> list[str]:
    """Delete them and wait until the guests among them are gone; a line for each thing that stays."""
    left = []
    for leftover in leftovers:
        try:
            cluster.delete(leftover.kind, leftover.name, leftover.namespace, leftover.uid)
        except ApiError as error:
            left.append(f"{leftover.title} could not be removed: {error}")
    for run_id, namespace in sorted({(leftover.run_id, leftover.namespace) for leftover in leftovers}):
        left += await_no_guests(cluster, namespace, run_id, within, heartbeat)
    return left


_SUITE_LEASE = f"{LEASE_NAME}-"


def _labelled(cluster: Cluster, kind: Kind, namespace: str) -> list[Object]:
    try:
        return [
            item for item in cluster.list(kind, namespace, RUN_LABEL).items if not meta(item, "deletionTimestamp", None)
        ]
    except ApiError as error:
        if error.status == 403:
            return []
        raise


def _run_of(item: Object) -> str:
    return str(meta(item, "labels")[RUN_LABEL])


def _with_secrets(found: list[SharedLeftover]) -> list[SharedLeftover]:
    seen = {leftover.name for leftover in found if leftover.kind is SECRET}
    secrets = [
        SharedLeftover(SECRET, leftover.namespace, cloud_init_name(leftover.name), leftover.run_id)
        for leftover in found
        if leftover.kind is VM and cloud_init_name(leftover.name) not in seen
    ]
    return found + secrets
