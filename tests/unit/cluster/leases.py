"""Leases of other runs, as they lie on a cluster."""

from __future__ import annotations

import time

from testbed.cluster.client import Cluster
from testbed.networks.leasebook import HOLDER_NOTE, PURPOSE_LABEL, LeaseBook
from testbed.objects.kinds import LEASE, NAMESPACE
from testbed.objects.labels import RUN_LABEL
from testbed.objects.leases import LeaseKeeper

from tests.unit.cluster.fake_api import FakeApi

SHELF = LEASE.path("default")


def stamp(ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def book_of(cluster: Cluster, run: str) -> tuple[LeaseBook, LeaseKeeper]:
    """The lease book as a run sees it; stop the keeper at the end."""
    keeper = LeaseKeeper(cluster, run)
    return LeaseBook(cluster, keeper, run, "default"), keeper


def put_lease(api: FakeApi, name: str, run: str, purpose: str, *, renewed: float) -> None:
    """A lease of another run, renewed so many seconds ago."""
    labels = {RUN_LABEL: run, PURPOSE_LABEL: purpose}
    meta = {"name": name, "namespace": "default", "labels": labels, "annotations": {HOLDER_NOTE: "ann@desk"}}
    spec = {"holderIdentity": run, "leaseDurationSeconds": 30, "renewTime": stamp(renewed)}
    api.put(SHELF, {"metadata": meta, "spec": spec})


def put_namespace(api: FakeApi, name: str, run: str) -> None:
    """A namespace of a run."""
    meta = {"name": name, "labels": {RUN_LABEL: run}, "creationTimestamp": stamp(500)}
    api.put(NAMESPACE.path(), {"metadata": meta})


def names_of(api: FakeApi) -> set[str]:
    """Names of the leases that lie in the book's namespace."""
    return {name for path, name in api.objects if path == SHELF}
