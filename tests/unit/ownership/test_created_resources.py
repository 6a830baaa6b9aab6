# SPDX-License-Identifier: Apache-2.0
"""The created, and the lease of a run."""

from __future__ import annotations

from concurrent.futures import thread

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import LEASE, NAD, VM
from livenad.ownership.created_resources import CreatedResources
from livenad.ownership.labels import PLACE_NOTE, RUN_LABEL
from livenad.ownership.leases import LEASE_NAME

from tests.unit.support.fake_api import FakeApi, Fault, Object


def body(name: str) -> Object:
    return {"metadata": {"name": name, "namespace": "demo", "labels": {"own": "label"}}}


def test_everything_is_labelled_and_removed_last_in_first_out(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    stored = created.create(NAD, body("blue"))
    assert stored["metadata"]["labels"] == {"own": "label", RUN_LABEL: "r1"}
    assert stored["metadata"]["annotations"] == {PLACE_NOTE: "demo/blue"}
    created.create(NAD, body("green"))
    created.create(VM, body("web"))
    assert created.remove() == []
    first, *last = [seen.path.rsplit("/", 1)[1] for seen in api.requests("DELETE")]
    assert (first, set(last)) == ("web", {"green", "blue"})
    assert created.entries == []


def test_everything_is_removed_where_the_process_is_ending(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a second Ctrl-C the run is closed by atexit, when no pool takes work any more."""
    created = CreatedResources(cluster, "r1")
    for name in ("blue", "green"):
        created.create(NAD, body(name))
    monkeypatch.setattr(thread, "_shutdown", True)
    assert created.remove() == []
    assert len(api.requests("DELETE")) == 2


def test_what_is_gone_already_is_fine(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    created.create(NAD, body("blue"))
    api.remove(NAD.path("demo"), "blue")
    assert created.remove() == []


def test_what_cannot_be_removed_is_told_and_kept(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    created.create(NAD, body("blue"))
    created.create(NAD, body("green"))
    api.faults.append(Fault("DELETE", "green", 403))
    (line,) = created.remove()
    assert line.startswith("NetworkAttachmentDefinition demo/green could not be removed: ")
    assert [entry.name for entry in created.entries] == ["green"]


def test_server_that_is_away_is_waited_for_once(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    names = [f"nad-{number}" for number in range(20)]
    for name in names:
        created.create(NAD, body(name))
    cluster.patience = 0.1
    api.faults += [Fault("DELETE", "")] * 500
    left = created.remove()
    assert [line.partition(" could not be removed")[0].partition(" was not removed")[0] for line in left] == [
        f"NetworkAttachmentDefinition demo/{name}" for name in reversed(names)
    ]
    assert "cannot reach API server" in left[0]
    assert len({seen.path for seen in api.requests("DELETE")}) < len(names)
    assert len(created.entries) == len(names)


def test_server_that_is_only_busy_is_asked_for_the_others_again(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    for number in range(20):
        created.create(NAD, body(f"nad-{number}"))
    cluster.patience = 0.1
    api.faults += [Fault("DELETE", "nad-9"), Fault("DELETE", "nad-5"), Fault("DELETE", "nad-0")]
    assert created.remove() == []
    assert created.entries == []


def test_only_the_object_we_made_is_removed(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    uid = created.create(NAD, body("blue"))["metadata"]["uid"]
    created.remove()
    (request,) = api.requests("DELETE")
    assert request.body["preconditions"] == {"uid": uid}


def test_some_may_be_chosen(api: FakeApi, cluster: Cluster) -> None:
    created = CreatedResources(cluster, "r1")
    created.create(NAD, body("blue"))
    created.create(VM, body("web"))
    assert created.remove(lambda entry: entry.kind is VM) == []
    assert [entry.name for entry in created.entries] == ["blue"]


def test_lease_is_renewed(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.ownership.leases.RENEW_SECONDS", 0.05)
    created = CreatedResources(cluster, "r1")
    created.lease.hold("demo")
    with api.condition:
        assert api.condition.wait_for(lambda: len(api.requests("PATCH", LEASE_NAME)) >= 2, 5)
    created.lease.stop()
    lease = cluster.get(LEASE, LEASE_NAME, "demo")
    assert lease["spec"]["holderIdentity"] == "r1"
