# SPDX-License-Identifier: Apache-2.0
"""Leases: a run renews all its leases every few seconds; other runs may take those of an aborted run.

Times in leases are for people to read only: `livenad.ownership.lease_liveness` finds expired leases.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import LEASE, Object, dig, meta
from livenad.ownership.labels import RUN_LABEL, mark, run_of
from livenad.ownership.lease_liveness import LEASE_SECONDS, RENEW_SECONDS, LeaseLiveness

logger = logging.getLogger(__name__)

LEASE_NAME = "kubevirt-nad-tests-run"
_RENEWAL_PATIENCE = 3.0
_ANSWER_SECONDS = 5.0
"""The longest wait for the answer to one renewal: with the patience, well below the life of a lease."""

_LAST_RENEWAL_SECONDS = 5.0
_CHANGED_MEANWHILE = (404, 409, 422)
"""Statuses of a conditional write to an object that another client has changed or removed."""

_Place = tuple[str, str]


class LeaseKeeper:
    """Takes leases for this run and renews each in a thread of its own until it is given back.

    A renewal that hangs delays no other lease, and itself by a few seconds only.
    """

    def __init__(self, cluster: Cluster, run_id: str) -> None:
        self._cluster = cluster
        self._run_id = run_id
        self._held: dict[_Place, threading.Event] = {}
        self._written: dict[_Place, Object] = {}
        self._threads: set[threading.Thread] = set()
        self._lost: list[str] = []
        self._lock = threading.Lock()

    def hold(self, namespace: str, suffix: str = "") -> None:
        """Take the lease of a suite in its namespace and renew it until `release` or `stop`.

        ``suffix`` makes its name unique in a shared namespace.
        """
        self._cluster.create(LEASE, self._manifest(namespace, LEASE_NAME + suffix, {}, {}))
        self._keep((namespace, LEASE_NAME + suffix))

    def release(self, namespace: str) -> None:
        """Stop renewing the lease of a namespace; it is removed with the namespace."""
        self._drop((namespace, LEASE_NAME))

    def take(
        self,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        notes: Mapping[str, str],
        *,
        from_expired: bool = True,
        seldom: bool = False,
    ) -> Object | None:
        """Take a lease that other runs compete for; None when this run has it now.

        Otherwise returns the lease of the run that has it. An expired lease is taken over, unless ``from_expired`` is
        False. ``notes`` become annotations. It is renewed half as often if ``seldom``.
        """
        body = self._manifest(namespace, name, labels, notes)
        while True:
            try:
                self._written[namespace, name] = self._cluster.create(LEASE, body)
            except ApiError as error:
                if error.reason != "AlreadyExists" and error.status != 409:
                    raise
            else:
                break
            found = self._cluster.find(LEASE, name, namespace)
            if found is None:
                continue
            if self._is_ours(found):
                break
            if not from_expired or not self._is_aborted(found):
                return found
            if self._take_over(found, body):
                break
        self._keep((namespace, name), seldom=seldom)
        return None

    def give_back(self, namespace: str, name: str) -> None:
        """Stop renewing a lease and delete it, unless another run has it."""
        self._drop((namespace, name))
        written = self._written.pop((namespace, name), None)
        if written is not None and remove_lease(self._cluster, written):
            return
        while (found := self._cluster.find(LEASE, name, namespace)) is not None and self._is_ours(found):
            # A renewal that is in progress changes it at most once more.
            if remove_lease(self._cluster, found):
                return

    def holds(self, namespace: str, name: str) -> bool:
        """Whether the lease was taken and neither given back nor lost."""
        with self._lock:
            return (namespace, name) in self._held

    def lost(self) -> list[str]:
        """A line for each lease that another run took, as this one did not renew it in time; returned once."""
        with self._lock:
            lines, self._lost = self._lost, []
        return lines

    def stop(self) -> None:
        """Stop renewing."""
        with self._lock:
            threads = list(self._threads)
            for ended in self._held.values():
                ended.set()
        deadline = time.monotonic() + _LAST_RENEWAL_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _manifest(self, namespace: str, name: str, labels: Mapping[str, str], notes: Mapping[str, str]) -> Object:
        now = _timestamp(self._cluster.server_time())
        body = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.name,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": dict(labels),
                "annotations": dict(notes),
            },
            "spec": {
                "holderIdentity": self._run_id,
                "leaseDurationSeconds": LEASE_SECONDS,
                "acquireTime": now,
                "renewTime": now,
            },
        }
        return mark(body, self._run_id)

    def _is_ours(self, lease: Object) -> bool:
        return bool(dig(lease, "spec", "holderIdentity") == self._run_id)

    def _is_aborted(self, found: Object) -> bool:
        """Whether a lease, and each other of its run in its namespace, has expired."""
        run, liveness = run_of(found), LeaseLiveness.of(self._cluster)
        if not run or not liveness.is_expired(found):
            return False
        beside = self._cluster.list(LEASE, str(meta(found, "namespace")), f"{RUN_LABEL}={run}").items
        left = [liveness.seconds_left(lease) for lease in beside]
        return max(left, default=0.0) <= 0

    def _take_over(self, found: Object, body: Object) -> bool:
        """Take over the lease of an aborted run; False when it was changed since it was read."""
        now = _timestamp(self._cluster.server_time())
        operations = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": meta(found, "resourceVersion")},
            {"op": "add", "path": "/metadata/labels", "value": meta(body, "labels")},
            {"op": "add", "path": "/metadata/annotations", "value": meta(body, "annotations")},
            {"op": "add", "path": "/spec", "value": dig(body, "spec") | {"acquireTime": now, "renewTime": now}},
        ]
        name, namespace = meta(found, "name"), meta(found, "namespace")
        try:
            self._cluster.json_patch(LEASE, name, namespace, operations, done=self._is_ours)
        except ApiError as error:
            if error.status in _CHANGED_MEANWHILE:
                return False
            raise
        return True

    def _keep(self, place: _Place, *, seldom: bool = False) -> None:
        with self._lock:
            if place in self._held:
                return
            ended = self._held[place] = threading.Event()
            renew = partial(self._run, place, ended, 2 if seldom else 1)
            thread = threading.Thread(target=renew, name=f"lease-{place[1]}", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _drop(self, place: _Place) -> bool:
        """Renew a lease no more; False when that was so."""
        with self._lock:
            ended = self._held.pop(place, None)
        if ended is not None:
            ended.set()
        return ended is not None

    def _run(self, place: _Place, ended: threading.Event, periods: int) -> None:
        cluster = Cluster(self._cluster.connection, patience=_RENEWAL_PATIENCE, longest_answer=_ANSWER_SECONDS)
        while not ended.wait(periods * RENEW_SECONDS):
            try:
                self._renew(cluster, place)
            except (
                Exception
            ) as error:  # whatever breaks one renewal must not end the others: the run would look aborted
                logger.debug("lease %s not renewed: %s", "/".join(place), error)
                self._note_loss(place, error)
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _renew(self, cluster: Cluster, place: _Place) -> None:
        namespace, name = place
        operations = [
            {"op": "test", "path": "/spec/holderIdentity", "value": self._run_id},
            {"op": "replace", "path": "/spec/renewTime", "value": _timestamp(cluster.server_time())},
        ]
        # It may be carried out twice, as it is guarded by the holder's name.
        self._written[place] = cluster.request(
            "PATCH",
            LEASE.path(namespace, name),
            title=LEASE.title(namespace, name),
            body=operations,
            content_type="application/json-patch+json",
            repeatable=True,
        )

    def _note_loss(self, place: _Place, error: Exception) -> None:
        """Record that another run has a lease. The lease of a removed namespace is no loss."""
        namespace, name = place
        if isinstance(error, ApiError) and error.status in (404, 422) and self._drop(place) and name != LEASE_NAME:
            with self._lock:
                self._lost.append(f"Lease {namespace}/{name} was not renewed in time and was taken by another run")


def remove_lease(cluster: Cluster, lease: Object) -> bool:
    """Delete a lease as it was read; False when it was changed or removed since."""
    version = str(meta(lease, "resourceVersion"))
    try:
        return cluster.delete(LEASE, meta(lease, "name"), meta(lease, "namespace"), str(meta(lease, "uid")), version)
    except ApiError as error:
        if error.status == 409:
            return False
        raise


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
