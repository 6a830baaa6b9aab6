# SPDX-License-Identifier: Apache-2.0
"""What an answer that is none of a willing API server's is said to mean, and what to do: tried on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import KUBEVIRT, NAD, VM
from livenad.cluster.facts import read_kubevirt, read_version
from livenad.errors import LabError
from livenad.network_change.edit import edit_vm

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.kubeconfig import write_kubeconfig
from tests.unit.support.web import Web

RBAC = "docs/rbac/ has the roles"


@pytest.mark.circumstance(
    "a quota refuses an object",
    topic="rules",
    sees="a ResourceQuota forbids it",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.circumstance(
    "a webhook or an admission policy refuses an object",
    topic="rules",
    sees="a rule of the cluster forbids it",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.circumstance(
    "the user of the kubeconfig has no credentials",
    topic="connection",
    sees="no credentials were sent",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.circumstance(
    "the namespace is being deleted",
    topic="others",
    sees="wait until the namespace is gone",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ('nads is forbidden: User "ann" cannot create resource "nads" in the namespace "demo"', RBAC),
        ('nads is forbidden: User "system:anonymous" cannot create resource "nads"', "no credentials were sent"),
        ('pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3', "a ResourceQuota forbids it"),
        ('pods "x" is forbidden: failed quota: small: must specify limits.cpu', "a ResourceQuota forbids it"),
        ('admission webhook "p.lab" denied the request: names begin with lab-', "a rule of the cluster forbids it"),
        ("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no labels", "a rule of the cluster forbids"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": x', "a rule of the cluster forbids it"),
        ('pods "x" is forbidden: unable to validate against any security context constraint', "a rule of the cluster"),
        ("unable to create: namespace demo is being terminated", RBAC),
        ("nads is forbidden: because it is being terminated", "wait until the namespace is gone"),
    ],
)
def test_forbidden_is_not_always_a_want_of_rights(api: FakeApi, cluster: Cluster, message: str, remedy: str) -> None:
    api.faults.append(Fault("POST", NAD.path("demo"), 403, message=message))
    with pytest.raises(ApiError) as caught:
        cluster.create(NAD, {"metadata": {"name": "blue", "namespace": "demo"}})
    assert message in str(caught.value), "the cluster's own words"
    assert remedy in str(caught.value)
    assert (RBAC in str(caught.value)) == (remedy == RBAC)


@pytest.mark.circumstance(
    "a gateway redirects requests to a log-in",
    topic="connection",
    sees="redirected (302) to https://login.lab/oauth, which is not followed",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_redirect_says_where_it_leads(api: FakeApi, cluster: Cluster) -> None:
    api.faults.append(Fault("GET", NAD.path("demo"), 302, headers={"Location": "https://login.lab/oauth"}))
    with pytest.raises(ApiError) as caught:
        cluster.list(NAD, "demo")
    assert "redirected (302) to https://login.lab/oauth, which is not followed" in str(caught.value)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture
def away(web: Web, tmp_path: Path) -> Iterator[Cluster]:
    """Where the kubeconfig leads to something else than an API server."""
    opened = Cluster(open_connection(str(write_kubeconfig(tmp_path / "kubeconfig", web.url))), patience=0.1)
    yield opened
    opened.close()


@pytest.mark.circumstance(
    "a log-in page is served with status 200",
    topic="connection",
    sees="the answer (200) is a page",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_login_page_is_no_list_without_objects(web: Web, away: Cluster) -> None:
    web.answers[KUBEVIRT.path()] = 200, "<html>\n<title>Log in</title>"
    with pytest.raises(LabError) as caught:
        read_kubevirt(away)
    assert "the answer (200) is a page: <html> <title>Log in</title>" in str(caught.value)
    assert "not installed" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (404, "404 page not found", "404 : 404 page not found"),
        (200, '{"login": "https://login.lab"}', 'the answer has no gitVersion: {"login": "https://login.lab"}'),
        (200, "{}", "the answer has no gitVersion: {}"),
    ],
)
def test_what_tells_no_version_is_no_api_server(web: Web, away: Cluster, status: int, text: str, said: str) -> None:
    web.answers["/version"] = status, text
    with pytest.raises(LabError) as caught:
        read_version(away)
    assert f"{said}; something else than an API server answers there" in str(caught.value)


WEBHOOK = 'admission webhook "v.lab" denied the request: the VM "test-1" breaks a test'


@pytest.mark.circumstance(
    'a webhook refuses a VM whose name has the word "test"',
    topic="rules",
    sees="denied the request",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("message", "patches"),
    [
        (WEBHOOK, 1),
        (WEBHOOK + ": the server rejected our request due to an error in our request", 1),
        ('VirtualMachine.kubevirt.io "vm-under-test" is invalid: spec: Invalid value', 1),
        ("the server rejected our request due to an error in our request", 2),
    ],
)
def test_refusal_of_a_webhook_is_told_at_once(api: FakeApi, cluster: Cluster, message: str, patches: int) -> None:
    api.put(VM.path("demo"), {"metadata": {"name": "vm-under-test", "namespace": "demo"}, "spec": {"template": {}}})
    api.faults.append(Fault("PATCH", VM.path("demo"), 422, message=message))
    operations = [{"op": "add", "path": "/spec/running", "value": True}]
    record = VmOfOneName("vm-under-test", "demo")
    if patches == 1:
        with pytest.raises(ApiError, match="422") as caught:
            edit_vm(cluster, record, lambda _: operations, lambda vm: "running" in vm["spec"])  # type: ignore[arg-type]
        assert message in str(caught.value)
    else:
        edit_vm(cluster, record, lambda _: operations, lambda vm: "running" in vm["spec"])  # type: ignore[arg-type]
    assert len(api.requests("PATCH")) == patches


class VmOfOneName:
    """All that an edit needs to know of a VM."""

    def __init__(self, name: str, namespace: str) -> None:
        self.name = name
        self.namespace = namespace
