# SPDX-License-Identifier: Apache-2.0
"""Certificates: renewed when their content changes, and verified alike by every version of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE
from livenad.api.temporary_watch import following
from livenad.errors import BadInput, LabError
from livenad.guest.streams import StreamRefused, open_console

from tests.unit.support.authority import Authority
from tests.unit.support.tls_api import TlsApi


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority("root")


@pytest.fixture(scope="module")
def issuer(root: Authority) -> Authority:
    return Authority("issuer", root)


@pytest.fixture
def server(issuer: Authority, tmp_path: Path) -> Iterator[TlsApi]:
    with TlsApi(issuer.server_side(tmp_path)) as one:
        yield one


def kubeconfig_of(server: TlsApi, authority: bytes, folder: Path, **user: str) -> str:
    (folder / "ca.crt").write_bytes(authority)
    context = {"name": "here", "context": {"cluster": "lab", "user": "me"}}
    config: dict[str, Any] = {
        "clusters": [{"name": "lab", "cluster": {"server": server.url, "certificate-authority": "ca.crt"}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [context],
        "current-context": "here",
    }
    (folder / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
    return str(folder / "config")


@pytest.mark.circumstance(
    "the cluster's CA names no key usage",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_authority_without_key_usages_is_trusted(server: TlsApi, root: Authority, tmp_path: Path) -> None:
    assert Cluster(open_connection(kubeconfig_of(server, root.pem, tmp_path)), 2).list(NODE).items == []


@pytest.mark.circumstance(
    "the kubeconfig has the issuing CA only",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_issuing_authority_alone_is_trusted(server: TlsApi, issuer: Authority, tmp_path: Path) -> None:
    cluster = Cluster(open_connection(kubeconfig_of(server, issuer.pem, tmp_path)), 2)
    assert cluster.list(NODE).items == []
    with pytest.raises(StreamRefused, match="404 no such VMI"):
        open_console(cluster.stream_options(), "demo", "web", 5)


def test_another_authority_is_not_trusted(server: TlsApi, tmp_path: Path) -> None:
    cluster = Cluster(open_connection(kubeconfig_of(server, Authority("other").pem, tmp_path)), 2)
    with pytest.raises(LabError, match="TLS failed"):
        cluster.list(NODE)
    with pytest.raises(StreamRefused, match="certificate verify failed"):
        open_console(cluster.stream_options(), "demo", "web", 5)


@pytest.mark.circumstance(
    "a client certificate is rotated in place",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_certificate_that_was_rotated_in_place_is_shown(server: TlsApi, issuer: Authority, tmp_path: Path) -> None:
    files = (tmp_path / "me.crt", tmp_path / "me.key")
    path = kubeconfig_of(server, issuer.pem, tmp_path, **{"client-certificate": "me.crt", "client-key": "me.key"})
    for use in ("request", "watch", "stream"):
        issuer.issue("old", *files)
        server.user = "old"
        cluster = Cluster(open_connection(path), 2)
        assert cluster.list(NODE).items == []
        issuer.issue("new", *files)
        server.user = "new"
        if use == "watch":
            with following(cluster, (NODE, None, "")) as history:
                assert history.all(NODE) == []
        if use != "stream":
            assert cluster.list(NODE).items == []
        with pytest.raises(StreamRefused) as refused:
            open_console(cluster.stream_options(), "demo", "web", 5)
        if use == "stream":
            assert refused.value.status == 401
            assert cluster.connection.renew()
            with pytest.raises(StreamRefused) as refused:
                open_console(cluster.stream_options(), "demo", "web", 5)
        assert refused.value.status == 404


def test_certificate_that_does_not_fit_its_key_is_named(server: TlsApi, issuer: Authority, tmp_path: Path) -> None:
    issuer.issue("me", tmp_path / "me.crt", tmp_path / "other.key")
    issuer.issue("me", tmp_path / "me.crt", tmp_path / "me.key")
    names = {"client-certificate": "me.crt", "client-key": "other.key"}
    with pytest.raises(BadInput, match=r"its client certificate \(.*me.crt\) and key \(.*other.key\) cannot be used"):
        open_connection(kubeconfig_of(server, issuer.pem, tmp_path, **names))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(
            7,
            "certificate is not yet valid",
            marks=pytest.mark.circumstance(
                "the clock of this machine, or of the API server, is wrong by days",
                topic="connection",
                sees="certificate is not yet valid ... check the clock of this machine and that of the API server",
                verdict="LAB ERROR",
                source="https://github.com/rancher/k3os/issues/260",
            ),
        ),
        pytest.param(
            -7,
            "certificate has expired",
            marks=pytest.mark.circumstance(
                "the certificate of the API server has expired",
                topic="connection",
                sees="certificate has expired ... is to be renewed, or the clock of this machine is wrong",
                verdict="LAB ERROR",
                source="https://github.com/k3s-io/k3s/issues/2112",
            ),
        ),
    ],
)
def test_certificate_of_another_time(tmp_path: Path, sees: Callable[[object], None], days: int, said: str) -> None:
    authority = Authority("root", ahead=timedelta(days=days))
    with TlsApi(authority.server_side(tmp_path)) as server, pytest.raises(LabError, match=said) as caught:
        Cluster(open_connection(kubeconfig_of(server, authority.pem, tmp_path)), 2).list(NODE)
    sees(caught.value)
