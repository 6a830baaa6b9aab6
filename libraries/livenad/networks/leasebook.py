# SPDX-License-Identifier: Apache-2.0
"""The leases of all runs on a cluster, in one namespace: by them runs share VLANs, NICs and the cluster."""

from __future__ import annotations

import getpass
import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import LEASE, NAMESPACE, POD, VM, VMI, Object, dig, meta
from livenad.api.recorder import Heartbeat, silent
from livenad.errors import LabError
from livenad.ownership.active_runs import active_runs
from livenad.ownership.labels import RUN_LABEL, run_of
from livenad.ownership.lease_liveness import LeaseLiveness
from livenad.ownership.leases import LeaseKeeper, remove_lease

PURPOSE_LABEL = "kubevirt-nad-tests/lease"
"""Label of every lease in the book; its value is the purpose of the lease."""

VLAN, NIC, RUN, SUITE, EXCLUSIVE = "vlan", "nic", "run", "suite", "exclusive"
_OF_GUESTS = (VLAN, NIC)

OF_NOTE = "kubevirt-nad-tests/of"
HOLDER_NOTE = "kubevirt-nad-tests/holder"


class LeaseBook:
    """The leases of ``namespace``, which is the same for all runs. ``keeper`` renews taken leases.

    ``home`` is a namespace that suites of several runs share, "" when each suite has its own.
    """

    def __init__(self, cluster: Cluster, keeper: LeaseKeeper, run_id: str, namespace: str, home: str = "") -> None:
        self.cluster = cluster
        self.run_id = run_id
        self.namespace = namespace
        self._home = home
        self._keeper = keeper

    def take(self, name: str, purpose: str, of: str, *, from_expired: bool = True) -> Object | None:
        """Take a lease; None when this run has it now, else the other run's lease. ``of`` describes it for readers."""
        notes = {OF_NOTE: of, HOLDER_NOTE: _who()}
        # A run may hold many of these, and none expires while its lease of purpose `RUN` is renewed.
        seldom = purpose in _OF_GUESTS
        labels = {PURPOSE_LABEL: purpose}
        with self._rights():
            return self._keeper.take(self.namespace, name, labels, notes, from_expired=from_expired, seldom=seldom)

    def give_back(self, name: str) -> None:
        """Delete a lease of this run."""
        with self._rights():
            self._keeper.give_back(self.namespace, name)

    def holds(self, name: str) -> bool:
        """Whether this run has a lease now."""
        return self._keeper.holds(self.namespace, name)

    def entries(self, purpose: str = "") -> list[Object]:
        """All leases of every run, active or aborted; or those for one purpose."""
        with self._rights():
            listed = self.cluster.list(LEASE, self.namespace, PURPOSE_LABEL + (f"={purpose}" if purpose else "")).items
        found = [lease for lease in listed if run_of(lease)]
        for lease in found:
            LeaseLiveness.of(self.cluster).look(lease)
        return found

    def others(self, *purposes: str) -> list[Object]:
        """The leases of other runs that have not expired; call it again every few seconds."""
        return [
            lease
            for lease in self.entries()
            if meta(lease, "labels", {}).get(PURPOSE_LABEL) in purposes and not self.is_ours(lease)
            if not self.is_expired(lease)
        ]

    def is_expired(self, lease: Object) -> bool:
        """Whether a lease that was read just now has expired."""
        return LeaseLiveness.of(self.cluster).is_expired(lease)

    def seconds_left(self, lease: Object) -> float:
        """The seconds until a lease that was read just now expires, if it is not renewed."""
        return LeaseLiveness.of(self.cluster).seconds_left(lease)

    def is_ours(self, lease: Object) -> bool:
        """Whether this run is the holder of a lease."""
        return bool(dig(lease, "spec", "holderIdentity") == self.run_id)

    def watch_for_expired(self, heartbeat: Heartbeat = silent) -> None:
        """Watch the leases of other runs until each is renewed or has expired. Takes up to 30 seconds."""
        runs = {run_of(lease) for lease in self.entries() if not self.is_ours(lease)}
        with self._rights():
            active_runs(self.cluster, runs, [self.namespace], heartbeat)

    def unneeded(self) -> list[Object]:
        """Expired leases that are no longer needed.

        While the namespace of an aborted run exists, its guests may still use its VLANs.
        """
        expired = [lease for lease in self.entries() if not self.is_ours(lease) and self.is_expired(lease)]
        if not expired:
            return []
        remaining = runs_that_stay(self.cluster, self._home)
        return [
            lease
            for lease in expired
            if meta(lease, "labels")[PURPOSE_LABEL] not in _OF_GUESTS or run_of(lease) not in remaining
        ]

    def remove_expired(self) -> list[str]:
        """Remove expired leases that are no longer needed; returns their names."""
        unneeded = self.unneeded()
        with self._rights():
            return [str(meta(lease, "name")) for lease in unneeded if remove_lease(self.cluster, lease)]

    @contextmanager
    def _rights(self) -> Iterator[None]:
        try:
            yield
        except ApiError as error:
            if error.status == 403:
                raise LabError(
                    f'no right to use leases in namespace "{self.namespace}", with which runs share VLANs and the '
                    "cluster; an administrator grants create, get, list, watch, patch and delete on "
                    "leases.coordination.k8s.io there, or set variable LEASE_NAMESPACE to a namespace in which all "
                    f"runs have it: {error}"
                ) from error
            if error.status == 404:
                raise LabError(
                    f'variable LEASE_NAMESPACE is "{self.namespace}"; expected an existing namespace: {error}'
                ) from error
            raise


def lease_name(*parts: object) -> str:
    """The name of a lease; invalid characters are replaced, and a hash keeps the name unique."""
    text = "-".join(str(part) for part in parts)
    spelled = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
    unique = "" if spelled == text else "-" + hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"kubevirt-nad-tests-{spelled}{unique}"


def holder_text(lease: Object) -> str:
    """The holder of a lease in messages: ``run abc123 (tester@host)``."""
    who = meta(lease, "annotations", {}).get(HOLDER_NOTE, "")
    return f"run {dig(lease, 'spec', 'holderIdentity', default='unknown')}" + (f" ({who})" if who else "")


def runs_that_stay(cluster: Cluster, home: str = "") -> set[str]:
    """Ids of the runs that have guests in ``home`` or, with the right to list namespaces, a namespace."""
    guests = [item for kind in (VM, VMI, POD) if home for item in cluster.list(kind, home, RUN_LABEL).items]
    try:
        namespaces = cluster.list(NAMESPACE, labels=RUN_LABEL).items
    except ApiError as error:
        if error.status != 403:
            raise
        namespaces = []
    return {str(meta(item, "labels")[RUN_LABEL]) for item in namespaces + guests}


def _who() -> str:
    """User and host of this process; a container's user may have no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
