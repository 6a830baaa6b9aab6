# SPDX-License-Identifier: Apache-2.0
"""Leases of other runs, as they lie on a cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from livenad.api.client import Cluster
from livenad.api.kinds import LEASE, NAMESPACE
from livenad.networks.leasebook import HOLDER_NOTE, PURPOSE_LABEL, LeaseBook
from livenad.ownership.labels import mark
from livenad.ownership.leases import LeaseKeeper

from tests.unit.support.fake_api import FakeApi

SHELF = LEASE.path("default")


def stamp(ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def book_of(cluster: Cluster, run: str) -> tuple[LeaseBook, LeaseKeeper]:
    """The lease book as a run sees it; stop the keeper at the end."""
    keeper = LeaseKeeper(cluster, run)
    return LeaseBook(cluster, keeper, run, "default"), keeper


LIVING = 30.0
"""How long a lease lasts that is not dead before a test ends."""

DEAD = 0.2
"""How long one lasts that is to be found dead."""


def put_lease(api: FakeApi, name: str, run: str, purpose: str, *, lasts: float = LIVING, renewed: float = 0) -> None:
    """A lease of another run, which says when it was last renewed; it is not renewed again."""
    meta = {"name": name, "namespace": "default", "labels": {PURPOSE_LABEL: purpose}}
    meta["annotations"] = {HOLDER_NOTE: "ann@desk"}
    spec = {"holderIdentity": run, "leaseDurationSeconds": lasts, "renewTime": stamp(renewed)}
    api.put(SHELF, mark({"metadata": meta, "spec": spec}, run))


@contextmanager
def renewing(api: FakeApi, name: str, run: str, purpose: str) -> Iterator[None]:
    """A lease of another run that is alive."""
    done = threading.Event()

    def renew() -> None:
        for turn in count(1):
            if done.wait(0.05):
                return
            put_lease(api, name, run, purpose, renewed=turn)

    put_lease(api, name, run, purpose)
    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def put_namespace(api: FakeApi, name: str, run: str) -> None:
    """A namespace of a run."""
    api.put(NAMESPACE.path(), mark({"metadata": {"name": name, "creationTimestamp": stamp(500)}}, run))


def names_of(api: FakeApi) -> set[str]:
    """Names of the leases that lie in the book's namespace."""
    return {name for path, name in api.objects if path == SHELF}
