# SPDX-License-Identifier: Apache-2.0
"""Fixtures of several topics: a fake API server, its kubeconfig and client, and time that paper does not need."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from livenad import secret_text
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import ACCESS_REVIEW, KUBEVIRT, NODE, SELF_REVIEW
from livenad.reachability import probes, windows

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.healthy_cluster import kubevirt, node, serve
from tests.unit.support.kubeconfig import write_kubeconfig
from tests.unit.support.published_rights import beyond_roles


@pytest.fixture(autouse=True)
def forgotten_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test calls a password is a word of a message in this one."""
    monkeypatch.setattr(secret_text, "_KNOWN", secret_text.SecretValues())


# The client by itself, and what must be refused to a VM owner.
ANY_REQUEST = ("tests/unit/api/", "tests/unit/permissions/test_forbidden.py")


@pytest.fixture
def no_system_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them takes 50 ms of the processor for each connection, and a fake server has no certificate."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(variable, os.devnull)


@pytest.fixture
def api(request: pytest.FixtureRequest, no_system_authorities: None) -> Iterator[FakeApi]:
    """A test fails if it asks for what no published role allows."""
    with FakeApi() as server:
        yield server
    if not request.node.nodeid.startswith(ANY_REQUEST):
        assert set(beyond_roles(server.seen)) == set(), "without a right in tests/rbac/reasons.yaml"


@pytest.fixture
def kubeconfig(api: FakeApi, tmp_path: Path) -> Path:
    return write_kubeconfig(tmp_path / "kubeconfig", api.url)


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    opened = Cluster(open_connection(str(kubeconfig)), patience=5)
    yield opened
    opened.close()


@pytest.fixture
def healthy(api: FakeApi) -> FakeApi:
    """A cluster on which networks can be swapped."""
    api.answers["GET", "/version"] = {"gitVersion": "v1.36.0"}
    serve(api, "k8s.cni.cncf.io")
    api.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": True}}
    api.answers["POST", SELF_REVIEW.path()] = {"status": {"userInfo": {"username": "alice"}}}
    api.put(NODE.path(), node("n1"))
    api.put(NODE.path(), node("n2"))
    api.put(KUBEVIRT.path(), kubevirt())
    return api


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paper needs no time: a window of five seconds is told at once, so its beginning is put back accordingly."""
    for module in (probes, windows):
        monkeypatch.setattr(module, "window_began", lambda: time.monotonic() - 5.0)
