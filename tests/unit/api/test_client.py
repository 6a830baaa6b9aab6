# SPDX-License-Identifier: Apache-2.0
"""Requests under faults: what is repeated, what is looked for, what is said."""

from __future__ import annotations

import time

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import NAD, NAMESPACE, VM
from livenad.errors import LabError
from livenad.ownership.labels import RUN_LABEL

from tests.unit.support.fake_api import FakeApi, Fault, Object

NADS = NAD.path("demo")
VMS = VM.path("demo")
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def nad(run: str = "r1") -> Object:
    return {"metadata": {"name": "blue", "namespace": "demo", "labels": {RUN_LABEL: run}}, "spec": {}}


@pytest.mark.parametrize("fault", [Fault("GET", NADS), Fault("GET", NADS, 500), Fault("GET", NADS, 503)])
def test_reads_are_repeated(api: FakeApi, cluster: Cluster, fault: Fault) -> None:
    api.put(NADS, nad())
    api.faults.append(fault)
    assert cluster.get(NAD, "blue", "demo")["metadata"]["name"] == "blue"


@pytest.mark.circumstance(
    "the API server throttles requests (429 with Retry-After)",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_retry_after_is_respected(api: FakeApi, cluster: Cluster) -> None:
    api.faults.append(Fault("POST", NADS, 429, headers={"Retry-After": "1"}))
    began = time.monotonic()
    cluster.create(NAD, nad())
    assert time.monotonic() - began >= 1
    assert len(api.requests("POST", NADS)) == 2


@pytest.mark.circumstance(
    "the answer to a create is lost",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("status", [0, 500, 504])
def test_create_whose_answer_is_lost_is_found_and_not_repeated(api: FakeApi, cluster: Cluster, status: int) -> None:
    api.faults.append(Fault("POST", NADS, status, after=True))
    assert cluster.create(NAD, nad())["metadata"]["uid"]
    assert len(api.requests("POST", NADS)) == 1


def test_create_that_never_arrived_is_repeated(api: FakeApi, cluster: Cluster) -> None:
    api.faults.append(Fault("POST", NADS, 503))
    cluster.create(NAD, nad())
    assert len(api.requests("POST", NADS)) == 2


def test_object_of_an_earlier_create_is_no_sign_that_the_next_one_arrived(api: FakeApi, cluster: Cluster) -> None:
    cluster.create(NAD, nad())
    api.faults.append(Fault("POST", NADS, 503))
    with pytest.raises(ApiError, match="already exists"):
        cluster.create(NAD, nad())


def test_create_does_not_take_anothers_object_for_ours(api: FakeApi, cluster: Cluster) -> None:
    api.put(NADS, nad(run="other-run"))
    api.faults.append(Fault("POST", NADS))
    with pytest.raises(ApiError, match="already exists"):
        cluster.create(NAD, nad())


def test_patch_whose_answer_is_lost_is_not_repeated(api: FakeApi, cluster: Cluster) -> None:
    api.put(VMS, {"metadata": {"name": "web", "namespace": "demo"}, "spec": {"size": 1}})
    api.faults.append(Fault("PATCH", VMS, after=True))
    operations = [{"op": "replace", "path": "/spec/size", "value": 2}]
    stored = cluster.json_patch(VM, "web", "demo", operations, done=lambda vm: vm["spec"]["size"] == 2)
    assert stored["spec"]["size"] == 2
    assert len(api.requests("PATCH", VMS)) == 1


def test_write_that_met_another_one_is_sent_again(api: FakeApi, cluster: Cluster) -> None:
    api.put(VMS, {"metadata": {"name": "web", "namespace": "demo"}, "spec": {"size": 1}})
    api.faults += [Fault(verb, "", 409, message=MODIFIED) for verb in ("PATCH", "POST", "DELETE")]
    operations = [{"op": "replace", "path": "/spec/size", "value": 2}]
    assert cluster.json_patch(VM, "web", "demo", operations, done=lambda _: False)["spec"]["size"] == 2
    cluster.create(NAD, nad())
    assert cluster.delete(VM, "web", "demo") is True
    assert [len(api.requests(verb)) for verb in ("PATCH", "POST", "DELETE")] == [2, 2, 2]


def test_write_for_one_version_alone_is_not_sent_again(api: FakeApi, cluster: Cluster) -> None:
    stored = api.put(VMS, {"metadata": {"name": "web", "namespace": "demo"}})
    version = stored["metadata"]["resourceVersion"]
    api.faults += [Fault(verb, VMS, 409, message=MODIFIED) for verb in ("PATCH", "PATCH", "DELETE")]
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    with pytest.raises(ApiError, match="409"):
        cluster.json_patch(VM, "web", "demo", [test], done=lambda _: False)
    with pytest.raises(ApiError, match="409"):
        cluster.request("PATCH", VM.path("demo", "web"), body={"metadata": {"resourceVersion": version}})
    with pytest.raises(ApiError, match="409"):
        cluster.delete(VM, "web", "demo", resource_version=version)
    assert [len(api.requests(verb)) for verb in ("PATCH", "DELETE")] == [2, 1]


def test_refusal_of_a_deletion_is_no_sign_that_somebody_else_has_the_name(api: FakeApi, cluster: Cluster) -> None:
    stored = api.put(VMS, {"metadata": {"name": "liquid", "namespace": "demo"}})
    api.faults.append(Fault("DELETE", VMS, 409, message="the deletion of liquid is refused"))
    with pytest.raises(ApiError, match="409"):
        cluster.delete(VM, "liquid", "demo", uid=stored["metadata"]["uid"])
    assert cluster.delete(VM, "liquid", "demo", uid="another") is False
    assert api.objects[VMS, "liquid"]


@pytest.mark.parametrize("fault", [Fault("DELETE", NADS, after=True), Fault("DELETE", NADS, 504, after=True)])
def test_deletion_whose_answer_is_lost_ends_well(api: FakeApi, cluster: Cluster, fault: Fault) -> None:
    stored = api.put(NADS, nad())
    api.faults.append(fault)
    cluster.delete(NAD, "blue", "demo", uid=stored["metadata"]["uid"])
    assert (NADS, "blue") not in api.objects


def test_what_has_no_label_of_a_run_is_never_taken_for_ours(api: FakeApi, cluster: Cluster) -> None:
    plain = {"metadata": {"name": "blue", "namespace": "demo"}}
    api.put(NADS, plain)
    api.faults.append(Fault("POST", NADS))
    with pytest.raises(ApiError, match="already exists"):
        cluster.create(NAD, plain)


def test_delete_of_what_is_gone_is_fine(api: FakeApi, cluster: Cluster) -> None:
    assert cluster.delete(NAD, "blue", "demo") is False


def test_patience_ends(api: FakeApi, cluster: Cluster) -> None:
    cluster.patience = 0.5
    api.faults.extend(Fault("GET", NADS, 503) for _ in range(9))
    with pytest.raises(ApiError, match="503"):
        cluster.list(NAD, "demo")


def test_server_that_was_silent_for_long_is_not_waited_for_each_time(api: FakeApi, cluster: Cluster) -> None:
    cluster.patience = 3.0
    api.faults.extend(Fault("GET", NADS) for _ in range(99))
    began = time.monotonic()
    for _ in range(4):
        with pytest.raises(LabError):
            cluster.list(NAD, "demo")
    assert time.monotonic() - began < 11
    api.faults.clear()
    cluster.list(NAD, "demo")
    assert cluster._patience_left(cluster.patience) == 3.0


def test_refusals_name_object_server_and_remedy(api: FakeApi, cluster: Cluster) -> None:
    api.faults.append(Fault("POST", "/namespaces", 403))
    with pytest.raises(ApiError, match=rf"LAB ERROR: POST Namespace demo on {api.url}: 403 .*docs/rbac/ has the roles"):
        cluster.create(NAMESPACE, {"metadata": {"name": "demo", "labels": {RUN_LABEL: "r1"}}})


@pytest.mark.circumstance(
    "credentials have expired",
    topic="connection",
    sees="are invalid or expired: log in again",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_expired_credentials_are_named(api: FakeApi, cluster: Cluster) -> None:
    api.faults.extend([Fault("GET", NADS, 401), Fault("GET", NADS, 401)])
    with pytest.raises(LabError, match=r"credentials of .*kubeconfig are invalid or expired: log in again"):
        cluster.list(NAD, "demo")


def test_credentials_are_renewed_once(api: FakeApi, cluster: Cluster) -> None:
    api.faults.append(Fault("GET", NADS, 401))
    assert cluster.list(NAD, "demo").items == []


def test_token_is_sent_and_never_said(api: FakeApi, cluster: Cluster) -> None:
    api.faults.extend([Fault("GET", NADS, 401), Fault("GET", NADS, 401)])
    with pytest.raises(LabError) as caught:
        cluster.list(NAD, "demo")
    token = api.requests("GET", NADS)[0].headers["Authorization"].removeprefix("Bearer ")
    assert token
    assert token not in str(caught.value)
