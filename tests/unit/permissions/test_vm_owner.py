# SPDX-License-Identifier: Apache-2.0
"""A VM owner on a scripted API server: what is created for the owner, and whose rights the owner's requests carry."""

from __future__ import annotations

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import ACCOUNT, BINDING, VM
from livenad.errors import LabError
from livenad.ownership.created_resources import CreatedResources
from livenad.ownership.labels import RUN_LABEL
from livenad.ownership.naming import Naming, SuiteNamespace
from livenad.permissions.vm_owner import create_owner

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.kubeconfig import TOKEN

TOKEN_PATH = f"{ACCOUNT.path('demo', 'owner')}/token"
OWN_TOKEN = "the-token-of-the-owner"
DEMO = SuiteNamespace("demo")


@pytest.fixture
def created(api: FakeApi, cluster: Cluster) -> CreatedResources:
    api.answers["POST", TOKEN_PATH] = {"status": {"token": OWN_TOKEN}}
    return CreatedResources(cluster, "r1")


def test_owner_is_an_account_with_the_role_edit_in_one_namespace(
    api: FakeApi, cluster: Cluster, created: CreatedResources
) -> None:
    create_owner(cluster, created, DEMO, "owner", verify=True).close()
    account, binding = api.objects[ACCOUNT.path("demo"), "owner"], api.objects[BINDING.path("demo"), "owner"]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "owner", "namespace": "demo"}]
    assert all(item["metadata"]["labels"] == {RUN_LABEL: "r1"} for item in (account, binding))
    assert [entry.kind for entry in created.entries] == [ACCOUNT, BINDING]


def test_owner_in_a_shared_namespace_is_the_suites_own(
    api: FakeApi, cluster: Cluster, created: CreatedResources
) -> None:
    api.answers["POST", f"{ACCOUNT.path('demo', 'owner-r1-1')}/token"] = {"status": {"token": OWN_TOKEN}}
    create_owner(cluster, created, SuiteNamespace("demo", Naming("-r1-1")), "owner", verify=True).close()
    assert (ACCOUNT.path("demo"), "owner-r1-1") in api.objects
    assert api.objects[BINDING.path("demo"), "owner-r1-1"]["subjects"][0]["name"] == "owner-r1-1"


def test_requests_of_the_owner_carry_the_owners_token_and_ours_go_on_with_ours(
    api: FakeApi, cluster: Cluster, created: CreatedResources
) -> None:
    owner = create_owner(cluster, created, DEMO, "owner", verify=True)
    api.put(VM.path("demo"), {"metadata": {"name": "web"}})
    owner.get(VM, "web", "demo")
    assert api.requests("GET", "web")[-1].headers["Authorization"] == f"Bearer {OWN_TOKEN}"
    cluster.get(VM, "web", "demo")
    assert api.requests("GET", "web")[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    owner.close()


def test_a_token_of_the_owner_that_is_refused_is_requested_again(
    api: FakeApi, cluster: Cluster, created: CreatedResources
) -> None:
    owner = create_owner(cluster, created, DEMO, "owner", verify=True)
    api.put(VM.path("demo"), {"metadata": {"name": "web"}})
    api.answers["POST", TOKEN_PATH] = {"status": {"token": "another-token"}}
    api.faults.append(Fault("GET", "web", 401))
    owner.get(VM, "web", "demo")
    assert api.requests("GET", "web")[-1].headers["Authorization"] == "Bearer another-token"
    owner.close()


def test_a_new_token_of_the_owner_that_is_refused_too_is_told(
    api: FakeApi, cluster: Cluster, created: CreatedResources
) -> None:
    owner = create_owner(cluster, created, DEMO, "owner", verify=True)
    api.faults += [Fault("GET", "web", 401), Fault("GET", "web", 401)]
    with pytest.raises(LabError, match="the credentials of service account demo/owner are invalid or expired"):
        owner.get(VM, "web", "demo")
    owner.close()


@pytest.mark.parametrize("path", ["serviceaccounts", "rolebindings", "token"])
@pytest.mark.parametrize("status", [403, 422])
def test_refusal_is_told_as_it_is(
    api: FakeApi, cluster: Cluster, created: CreatedResources, path: str, status: int
) -> None:
    api.faults.append(Fault("POST", path, status))
    with pytest.raises(LabError, match=rf"^LAB ERROR: POST .*owner on {api.url}: {status}"):
        create_owner(cluster, created, DEMO, "owner", verify=True)
