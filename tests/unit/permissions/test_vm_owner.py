"""A VM owner on a scripted API server: what is created for him, whose rights his requests carry, what he lacks."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from KubeVirtLibrary.owners import Deed, OwnerKeywords
from KubeVirtLibrary.swaps import SwapKeywords
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import ACCOUNT, BINDING, MIGRATION, VM
from livenad.context import Run
from livenad.errors import LabError, ProductFault
from livenad.ownership.created_resources import Ledger
from livenad.ownership.labels import RUN_LABEL
from livenad.permissions.vm_owner import create_owner
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.kubeconfig import TOKEN

TOKEN_PATH = f"{ACCOUNT.path('demo', 'owner')}/token"
HIS = "his-own-token"


@pytest.fixture
def run(api: FakeApi, cluster: Cluster) -> Run:
    current = Run(Settings(), cluster, Ledger(cluster, "r1"), "r1")
    current.namespace = "demo"
    api.answers["POST", TOKEN_PATH] = {"status": {"token": HIS}}
    return current


def test_owner_is_an_account_with_the_role_edit_in_one_namespace(api: FakeApi, run: Run) -> None:
    create_owner(run, "owner")
    account, binding = api.objects[ACCOUNT.path("demo"), "owner"], api.objects[BINDING.path("demo"), "owner"]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "owner", "namespace": "demo"}]
    assert all(item["metadata"]["labels"] == {RUN_LABEL: "r1"} for item in (account, binding))
    assert [entry.kind for entry in run.ledger.entries] == [ACCOUNT, BINDING]


def test_his_requests_carry_his_token_and_ours_go_on_with_ours(api: FakeApi, run: Run) -> None:
    his = create_owner(run, "owner")
    api.put(VM.path("demo"), {"metadata": {"name": "web"}})
    his.get(VM, "web", "demo")
    assert api.requests("GET", "web")[-1].headers["Authorization"] == f"Bearer {HIS}"
    run.cluster.get(VM, "web", "demo")
    assert api.requests("GET", "web")[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    his.close()


@pytest.mark.parametrize("path", ["serviceaccounts", "rolebindings", "token"])
@pytest.mark.parametrize("status", [403, 422])
def test_refusal_is_told_as_it_is(api: FakeApi, run: Run, path: str, status: int) -> None:
    api.faults.append(Fault("POST", path, status))
    with pytest.raises(LabError, match=rf"^LAB ERROR: POST .*owner on {api.url}: {status}"):
        create_owner(run, "owner")


def keywords_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> OwnerKeywords:
    monkeypatch.setattr(Run, "current", lambda: run)
    keywords = OwnerKeywords()
    keywords.create_vm_owner("owner")
    return keywords


def test_what_is_forbidden_is_refused(api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    keywords = keywords_of(run, monkeypatch)
    api.faults.append(Fault("POST", MIGRATION.path("demo"), 403))
    keywords.vm_owner_should_be_refused("owner", deed=Deed.create_migration, subject="web")


def test_request_refused_for_its_content_was_allowed(api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    keywords = keywords_of(run, monkeypatch)
    api.faults.append(Fault("POST", MIGRATION.path("demo"), 400))
    with pytest.raises(ProductFault, match=r"expected to be forbidden to create a migration object .*, was allowed"):
        keywords.vm_owner_should_be_refused("owner", deed=Deed.create_migration, subject="web")


def test_owner_who_may_not_edit_is_the_products_fault(api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    keywords = keywords_of(run, monkeypatch)
    refused = ApiError("PATCH web: 403", 403)
    monkeypatch.setattr(SwapKeywords, "change_vm_network", Mock(side_effect=refused))
    with pytest.raises(ProductFault, match=r"VM owner demo/owner: expected to be allowed .* forbidden: PATCH web"):
        keywords.change_vm_network_as_owner("web", owner="owner", nic="a", network="b")
