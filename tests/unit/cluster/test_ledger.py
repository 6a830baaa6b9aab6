"""The ledger, the lease of a run, and what dead runs leave."""

from __future__ import annotations

import time

import pytest
from testbed.cluster.client import Cluster
from testbed.objects.kinds import LEASE, NAD, NAMESPACE, VM
from testbed.objects.labels import RUN_LABEL
from testbed.objects.leases import LEASE_NAME, is_alive, parse_timestamp
from testbed.objects.ledger import Ledger
from testbed.objects.leftovers import find_leftovers, remove_leftovers

from tests.unit.cluster.fake_api import FakeApi, Fault, Object


def body(name: str) -> Object:
    return {"metadata": {"name": name, "namespace": "demo", "labels": {"own": "label"}}}


def stamp(ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def test_everything_is_labelled_and_removed_last_in_first_out(api: FakeApi, cluster: Cluster) -> None:
    ledger = Ledger(cluster, "r1")
    stored = ledger.create(NAD, body("blue"))
    assert stored["metadata"]["labels"] == {"own": "label", RUN_LABEL: "r1"}
    ledger.create(NAD, body("green"))
    ledger.create(VM, body("web"))
    assert ledger.remove() == []
    assert [seen.path.rsplit("/", 1)[1] for seen in api.requests("DELETE")] == ["web", "green", "blue"]
    assert ledger.entries == []


def test_what_is_gone_already_is_fine(api: FakeApi, cluster: Cluster) -> None:
    ledger = Ledger(cluster, "r1")
    ledger.create(NAD, body("blue"))
    api.remove(NAD.path("demo"), "blue")
    assert ledger.remove() == []


def test_what_cannot_be_removed_is_told_and_kept(api: FakeApi, cluster: Cluster) -> None:
    ledger = Ledger(cluster, "r1")
    ledger.create(NAD, body("blue"))
    ledger.create(NAD, body("green"))
    api.faults.append(Fault("DELETE", "green", 403))
    (line,) = ledger.remove()
    assert line.startswith("NetworkAttachmentDefinition demo/green could not be removed: ")
    assert [entry.name for entry in ledger.entries] == ["green"]


def test_only_the_object_we_made_is_removed(api: FakeApi, cluster: Cluster) -> None:
    ledger = Ledger(cluster, "r1")
    uid = ledger.create(NAD, body("blue"))["metadata"]["uid"]
    ledger.remove()
    (request,) = api.requests("DELETE")
    assert request.body["preconditions"] == {"uid": uid}


def test_some_may_be_chosen(api: FakeApi, cluster: Cluster) -> None:
    ledger = Ledger(cluster, "r1")
    ledger.create(NAD, body("blue"))
    ledger.create(VM, body("web"))
    assert ledger.remove(lambda entry: entry.kind is VM) == []
    assert [entry.name for entry in ledger.entries] == ["blue"]


def test_lease_is_renewed(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.objects.leases.RENEW_SECONDS", 0.05)
    ledger = Ledger(cluster, "r1")
    ledger.lease.hold("demo")
    with api.condition:
        assert api.condition.wait_for(lambda: len(api.requests("PATCH", LEASE_NAME)) >= 2, 5)
    ledger.lease.stop()
    lease = cluster.get(LEASE, LEASE_NAME, "demo")
    assert lease["spec"]["holderIdentity"] == "r1"
    assert is_alive(lease, time.time())
    assert not is_alive(lease, time.time() + 60)


def test_times_with_and_without_fraction_are_read() -> None:
    assert parse_timestamp("2026-11-22T16:12:36Z") == parse_timestamp("2026-11-22T16:12:36.000000Z")


def leave(api: FakeApi, name: str, run: str, *, created: float, renewed: float | None = None) -> None:
    """A namespace of a run as it is on a cluster."""
    labels = {RUN_LABEL: run} if run else {"team": "other"}
    api.put(NAMESPACE.path(), {"metadata": {"name": name, "labels": labels, "creationTimestamp": stamp(created)}})
    if renewed is not None:
        lease = {"metadata": {"name": LEASE_NAME, "namespace": name, "labels": labels}}
        api.put(LEASE.path(name), {**lease, "spec": {"leaseDurationSeconds": 30, "renewTime": stamp(renewed)}})


def test_only_dead_runs_are_found_and_removed(api: FakeApi, cluster: Cluster) -> None:
    leave(api, "dead-1", "dead", created=500, renewed=100)
    leave(api, "dead-2", "dead", created=400, renewed=90)
    leave(api, "never-leased", "unborn", created=300)
    leave(api, "foreign-nad-swap", "", created=900)
    leave(api, "own", "mine", created=500, renewed=100)
    cluster.list(NAMESPACE)
    found = find_leftovers(cluster, "mine")
    assert {(item.namespace, item.run_id) for item in found} == {
        ("dead-1", "dead"),
        ("dead-2", "dead"),
        ("never-leased", "unborn"),
    }
    remove_leftovers(cluster, found)
    assert {name for path, name in api.objects if path == NAMESPACE.path()} == {"foreign-nad-swap", "own"}


def test_run_that_renews_its_lease_lives(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.objects.leases.RENEW_SECONDS", 0.05)
    living = Ledger(cluster, "living")
    leave(api, "busy", "living", created=1)
    living.lease.hold("busy")
    try:
        assert find_leftovers(cluster, "mine") == []
    finally:
        living.lease.stop()


def test_run_that_stops_renewing_is_found_when_its_lease_ends(api: FakeApi, cluster: Cluster) -> None:
    leave(api, "fresh-but-dead", "dead", created=100, renewed=27.5)
    cluster.list(NAMESPACE)
    lines: list[str] = []
    (found,) = find_leftovers(cluster, "mine", lines.append)
    assert found.namespace == "fresh-but-dead"
    assert lines[0].startswith("is run dead alive? its lease is renewed within")


def test_namespace_that_is_going_already_is_left_alone(api: FakeApi, cluster: Cluster) -> None:
    labels = {RUN_LABEL: "dead"}
    meta = {"name": "going", "labels": labels, "creationTimestamp": stamp(900), "deletionTimestamp": stamp(1)}
    api.put(NAMESPACE.path(), {"metadata": meta})
    assert find_leftovers(cluster, "mine") == []
