# SPDX-License-Identifier: Apache-2.0
"""What aborted runs left is found and removed; what living ones have, and what no run made, stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import LEASE, NAD, NAMESPACE, SECRET, VM, Kind
from livenad.namespaces.orphaned_resources import OrphanedResources
from livenad.networks.cudn import CLUSTER_NETWORK
from livenad.networks.leasebook import LeaseBook
from livenad.networks.nmstate_policies import POLICY
from livenad.ownership.active_runs import active_runs
from livenad.ownership.labels import LIFE_NOTE, PLACE_NOTE, RUN_LABEL, mark, run_of
from livenad.ownership.leases import LEASE_NAME, LeaseKeeper

from tests.unit.support.fake_api import FakeApi, Fault, Object
from tests.unit.support.leases import DEAD, book_of, put_lease, put_namespace


@pytest.fixture
def book(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[LeaseBook]:
    """Of run "mine"; a run without any lease is dead after DEAD."""
    monkeypatch.setattr("livenad.ownership.active_runs.LEASE_SECONDS", DEAD)
    book, keeper = book_of(cluster, "mine")
    yield book
    keeper.stop()


@pytest.fixture
def living(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[LeaseKeeper]:
    """Renews the leases of run "living"."""
    monkeypatch.setattr("livenad.ownership.leases.RENEW_SECONDS", 0.05)
    keeper = LeaseKeeper(cluster, "living")
    yield keeper
    keeper.stop()


def hold(api: FakeApi, namespace: str, run: str, *, lasts: float = DEAD) -> None:
    """The lease of an aborted run in its namespace."""
    spec = {"holderIdentity": run, "leaseDurationSeconds": lasts, "renewTime": "2099-01-01T00:00:00.000000Z"}
    api.put(LEASE.path(namespace), mark({"metadata": {"name": LEASE_NAME, "namespace": namespace}, "spec": spec}, run))


def put(api: FakeApi, kind: Kind, name: str, run: str, namespace: str | None = None) -> Object:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return api.put(kind.path(namespace), mark({"metadata": metadata}, run))


def names(api: FakeApi, kind: Kind, namespace: str | None = None) -> set[str]:
    return {name for path, name in api.objects if path == kind.path(namespace)}


def test_dead_runs_are_told_from_living_ones_in_one_go(api: FakeApi, book: LeaseBook, living: LeaseKeeper) -> None:
    put_namespace(api, "busy", "living")
    living.hold("busy")
    for name, run in (("a", "dead"), ("b", "dead"), ("c", "dead2")):
        put_namespace(api, name, run)
        hold(api, name, run)
    put_namespace(api, "d", "unborn")
    put_namespace(api, "own", "mine")
    leftovers = OrphanedResources(book)
    assert sorted(leftovers.namespaces) == ["a", "b", "c", "d"]
    assert leftovers.remove(1) == []
    assert names(api, NAMESPACE) == {"busy", "own"}


def test_run_that_lives_by_a_lease_elsewhere_keeps_what_it_has(
    api: FakeApi, book: LeaseBook, living: LeaseKeeper
) -> None:
    put_lease(api, "stale", "living", "vlan", lasts=DEAD)
    living.take("leases-of-others", "alive", {}, {})
    put(api, POLICY, "kubevirt-nad-tests-br", "living")
    put(api, CLUSTER_NETWORK, "blue", "living")
    assert OrphanedResources(book).found == []


def test_lease_elsewhere_is_found_by_a_note_where_leases_may_not_be_listed_everywhere(
    api: FakeApi, book: LeaseBook, living: LeaseKeeper
) -> None:
    api.forbidden.add(("GET", "v1/leases"))
    living.take("leases-of-others", "alive", {}, {})
    network = put(api, CLUSTER_NETWORK, "blue", "living")
    network["metadata"]["annotations"][LIFE_NOTE] = "leases-of-others"
    api.put(CLUSTER_NETWORK.path(), network)
    assert OrphanedResources(book).found == []


def test_what_no_run_created_stays_however_it_is_labelled(api: FakeApi, book: LeaseBook) -> None:
    put_namespace(api, "nad-swap-dead-1", "dead")
    for number, metadata in enumerate(
        (
            {"labels": {RUN_LABEL: "dead"}},
            {"labels": {RUN_LABEL: "dead"}, "annotations": {PLACE_NOTE: "nad-swap-dead-1"}},
            {"labels": {RUN_LABEL: "Not An Id"}, "annotations": {PLACE_NOTE: "foreign-2"}},
            {"labels": {RUN_LABEL: ""}, "annotations": {PLACE_NOTE: "foreign-3"}},
            {"labels": {"kubevirt-nad-tests/runs": "dead"}, "annotations": {PLACE_NOTE: "foreign-4"}},
        )
    ):
        api.put(NAMESPACE.path(), {"metadata": {"name": f"foreign-{number}", **metadata}})
        api.put(NAD.path("default"), {"metadata": {"name": f"foreign-{number}", "namespace": "default", **metadata}})
    assert OrphanedResources(book).titles == ["Namespace nad-swap-dead-1 of run dead"]


def test_copy_of_an_object_is_not_the_runs() -> None:
    item = mark({"metadata": {"name": "blue", "namespace": "demo"}}, "k3x9ab")
    assert run_of(item) == "k3x9ab"
    item["metadata"]["namespace"] = "of-others"
    assert run_of(item) == ""


def test_nad_in_a_namespace_of_others_is_removed_alone(api: FakeApi, book: LeaseBook) -> None:
    put_namespace(api, "nad-swap-dead-1", "dead")
    put(api, NAD, "blue", "dead", "nad-swap-dead-1")
    put(api, NAD, "green", "dead", "default")
    leftovers = OrphanedResources(book)
    assert leftovers.titles == [
        "Namespace nad-swap-dead-1 of run dead",
        "NetworkAttachmentDefinition default/green of run dead",
    ]
    assert leftovers.remove(1) == []
    assert names(api, NAD, "default") == set()


def test_namespace_that_runs_share_is_kept_and_emptied_of_dead_runs(
    api: FakeApi, book: LeaseBook, living: LeaseKeeper
) -> None:
    api.forbidden.add(("GET", "v1/network-attachment-definitions"))
    api.faults.append(Fault("GET", SECRET.path("given"), 403))
    for kind in (VM, SECRET, NAD):
        end = "-cloud-init" if kind is SECRET else ""
        put(api, kind, f"vm-dead-1{end}", "dead", "given")
        put(api, kind, f"vm-living-1{end}", "living", "given")
        api.put(kind.path("given"), {"metadata": {"name": "foreign", "namespace": "given"}})
    hold(api, "given", "dead")
    living.take("given", "alive", {}, {})
    leftovers = OrphanedResources(book, "given")
    assert {item.kind for item in leftovers.found} == {VM, SECRET, NAD, LEASE}
    assert leftovers.unseen == [
        "no right to list NetworkAttachmentDefinition objects on the whole cluster, so none were searched",
        "no right to list Secret objects in namespace given, so none were searched",
    ]
    assert leftovers.remove(1) == []
    for kind in (VM, SECRET, NAD):
        end = "-cloud-init" if kind is SECRET else ""
        assert names(api, kind, "given") == {"foreign", f"vm-living-1{end}"}
    assert names(api, LEASE, "given") == {"alive"}


def test_what_may_not_be_listed_is_said(api: FakeApi, book: LeaseBook) -> None:
    api.faults.append(Fault("GET", NAMESPACE.path(), 403))
    assert OrphanedResources(book).unseen == [
        "no right to list Namespace objects on the whole cluster, so none were searched",
    ]


def test_vlan_of_a_dead_run_stays_leased_while_its_namespace_does(
    api: FakeApi, book: LeaseBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livenad.namespaces.orphaned_resources._REMOVAL_SECONDS", 0.2)
    put_namespace(api, "stuck", "dead")
    put_lease(api, "vlan", "dead", "vlan", lasts=DEAD)
    put_lease(api, "suite", "dead", "suite", lasts=DEAD)
    leftovers = OrphanedResources(book)
    leftovers.found[0].item["metadata"]["deletionTimestamp"] = "2026-11-22T16:12:36Z"
    assert leftovers.remove(1) == ["namespace stuck is still there"]
    assert names(api, LEASE, "default") == {"vlan"}


def test_living_runs_are_known_at_once_and_said_who_is_waited_for(
    api: FakeApi, cluster: Cluster, living: LeaseKeeper
) -> None:
    living.take("default", "alive", {}, {})
    lines: list[str] = []
    found: list[set[str]] = []
    thread = threading.Thread(target=lambda: found.append(active_runs(cluster, {"living"}, [], lines.append)))
    thread.start()
    thread.join(5)
    assert found == [{"living"}]
    assert lines[0].startswith("checking whether runs living are active; known in 30 s, or when they renew a lease")


def test_watch_is_not_needed_to_tell_the_living(api: FakeApi, cluster: Cluster, living: LeaseKeeper) -> None:
    api.mute_watches = True
    living.take("default", "alive", {}, {})
    put_lease(api, "over", "dead", "suite", lasts=DEAD)
    assert active_runs(cluster, {"living", "dead"}, []) == {"living"}
