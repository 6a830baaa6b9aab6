"""A VM owner on a scripted API server: what is created for him, whose rights his requests carry, what he lacks."""

from __future__ import annotations

import pytest
from testbed.cluster.client import Cluster
from testbed.cluster.owners import ACCOUNT, BINDING, create_owner
from testbed.errors import LabError
from testbed.objects.kinds import VM
from testbed.objects.labels import RUN_LABEL
from testbed.objects.ledger import Ledger
from testbed.run import Run
from testbed.settings import Settings

from tests.unit.cluster.conftest import TOKEN
from tests.unit.cluster.fake_api import FakeApi, Fault

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
