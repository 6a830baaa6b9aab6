# SPDX-License-Identifier: Apache-2.0
"""What a VM owner must not be allowed: asked as dry runs, told from what is refused for its content, and judged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from KubeVirtLibrary.network_change import NetworkChangeKeywords
from KubeVirtLibrary.permissions import ForbiddenAction, PermissionKeywords
from KubeVirtLibrary.types import NetworkName, NicName, VmName
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import ACCOUNT, MIGRATION, NAD, VM
from livenad.context import Session
from livenad.errors import ProductFault, TestError
from livenad.network_change import change_network
from livenad.ownership.naming import Naming, SuiteNamespace
from livenad.permissions.forbidden import refusal_of

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.opened import opened

SHARED = SuiteNamespace("demo", Naming("-r1-1"))


@pytest.fixture
def session(healthy: FakeApi, cluster: Cluster) -> Iterator[Session]:
    """The suite in namespace demo has a VM owner."""
    healthy.answers["POST", f"{ACCOUNT.path('demo', 'owner')}/token"] = {"status": {"token": "t"}}
    session = opened(cluster)
    assert session.run is not None
    PermissionKeywords(session).create_vm_owner("owner")
    yield session
    session.run.require_suite().users["owner"].close()


def test_what_is_forbidden_is_refused(healthy: FakeApi, session: Session) -> None:
    healthy.faults.append(Fault("POST", MIGRATION.path("demo"), 403))
    PermissionKeywords(session).user_should_be_forbidden_to("owner", "create a migration object", subject="web")


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_request_refused_for_its_content_was_allowed(healthy: FakeApi, session: Session, status: int) -> None:
    keywords = PermissionKeywords(session)
    healthy.faults += [Fault("POST", MIGRATION.path("demo"), status)]
    with pytest.raises(
        ProductFault, match=r"expected to be forbidden to create a migration object \(web\), was allowed"
    ):
        keywords.user_should_be_forbidden_to("owner", "create a migration object", subject="web")


def test_user_that_was_not_made_is_told_with_those_that_were(session: Session) -> None:
    with pytest.raises(TestError, match='user "x" does not exist; call `Create VM Owner`; existing users: owner'):
        PermissionKeywords(session).user_should_be_forbidden_to("x", "change a NAD", subject="blue")


@pytest.mark.parametrize(
    ("action", "subject", "verb", "path"),
    [
        ("create a migration object", "web", "POST", MIGRATION.path("demo")),
        ("change a NAD", "blue", "PATCH", NAD.path("demo", "blue-r1-1")),
        ("list VMs of another namespace", "other", "GET", VM.path("other")),
    ],
)
def test_each_action_is_asked_for_what_the_suite_calls_its_subject(
    api: FakeApi, cluster: Cluster, *, action: ForbiddenAction, subject: str, verb: str, path: str
) -> None:
    api.faults.append(Fault(verb, path, 403))
    assert "403" in refusal_of(cluster, SHARED, action, subject)
    (asked,) = api.requests(verb, path)
    if verb != "GET":
        assert asked.query == {"dryRun": "All"}
    if action == "create a migration object":
        assert asked.body["spec"] == {"vmiName": "web-r1-1"}


def test_answer_that_tells_neither_is_no_verdict(api: FakeApi, cluster: Cluster) -> None:
    api.faults += [Fault("GET", VM.path("other"), 401) for _ in range(9)]
    with pytest.raises(ApiError, match="401"):
        refusal_of(cluster, SHARED, "list VMs of another namespace", "other")


OWNER = "service account demo/owner"


def edit_refused(session: Session, monkeypatch: pytest.MonkeyPatch, error: ApiError) -> None:
    """An edit as the owner, during which a request is refused."""
    run = session.run
    assert run is not None
    run.require_suite().vms.define("web")

    def refuse(client: Cluster, *_: object, **__: object) -> None:
        assert client is run.require_suite().users["owner"]
        assert session.run is run
        assert run.cluster.connection.source != OWNER  # guests and recorder go on with the run's own client
        raise error

    monkeypatch.setattr(change_network, "change_networks", refuse)
    NetworkChangeKeywords(session).change_vm_network(
        VmName("web"), nic=NicName("a"), network=NetworkName("b"), nad_exists=False, as_user="owner"
    )


def test_owner_who_may_not_edit_is_the_products_fault(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ApiError("PATCH web: 403", 403, sender=OWNER, lacks_right=True)
    with pytest.raises(ProductFault, match=r"VM owner demo/owner: expected to be allowed .* forbidden: PATCH web"):
        edit_refused(session, monkeypatch, refused)


@pytest.mark.parametrize(
    "error",
    [
        ApiError("GET pods: 403", 403, sender="the run's kubeconfig", lacks_right=True),
        ApiError("PATCH web: 403 denied the request", 403, sender=OWNER),
        ApiError("PATCH web: 500", 500, sender=OWNER),
    ],
    ids=["right of the run", "rule of the cluster", "server error"],
)
def test_what_is_no_lack_of_the_owners_rights_is_no_fault_of_the_product(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: ApiError
) -> None:
    with pytest.raises(ApiError) as raised:
        edit_refused(session, monkeypatch, error)
    assert raised.value is error


def test_rule_of_the_cluster_that_refuses_what_is_sent_is_no_lack_of_rights(healthy: FakeApi, session: Session) -> None:
    """Rights are asked first: a webhook sees only what its sender may do."""
    message = 'admission webhook "policy.example" denied the request: no migrations on Fridays'
    healthy.faults.append(Fault("POST", MIGRATION.path("demo"), 403, message=message))
    with pytest.raises(ProductFault, match="expected to be forbidden to create a migration object"):
        PermissionKeywords(session).user_should_be_forbidden_to("owner", "create a migration object", subject="web")
