# SPDX-License-Identifier: Apache-2.0
"""Which context is taken, and which way leads to its server: as kubectl decides."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from livenad.api import kubeconfig as reader
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE
from livenad.errors import BadInput, Unreachable
from livenad.guest.streams import StreamRefused, open_console

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.kubeconfig import write_kubeconfig

DEAD_PROXY = "http://127.0.0.1:9"
UNKNOWN = "no-such-proxy.example"


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, DEAD_PROXY)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.circumstance(
    "HTTPS_PROXY is set without NO_PROXY, and the API server is on loopback",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.usefixtures("proxied")
def test_loopback_is_reached_without_the_proxy_of_the_environment(api: FakeApi, kubeconfig: Path) -> None:
    cluster = Cluster(open_connection(str(kubeconfig)), 2)
    assert cluster.list(NODE).items == []
    assert cluster.stream_options().proxy is None
    with pytest.raises(StreamRefused) as refused:
        open_console(cluster.stream_options(), "demo", "web", 5)
    assert refused.value.status == 404


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize(
    ("server", "proxy"),
    [
        ("https://127.9.8.7:6443", ""),
        ("https://[::1]:6443", ""),
        ("https://LocalHost:6443", ""),
        ("https://localhost.example:6443", DEAD_PROXY),
        ("https://10.0.0.1:6443", DEAD_PROXY),
    ],
)
def test_servers_that_are_loopback(tmp_path: Path, server: str, proxy: str) -> None:
    connection = open_connection(str(write_kubeconfig(tmp_path / "config", server)))
    assert connection.proxy_to(connection.server) == proxy


@pytest.mark.usefixtures("proxied")
def test_proxy_of_the_kubeconfig_leads_to_loopback_too(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:6443")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["proxy-url"] = "http://127.0.0.1:10"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    connection = open_connection(str(path))
    assert connection.proxy_to(connection.server) == "http://127.0.0.1:10"


@pytest.mark.circumstance(
    "nothing listens where the kubeconfig's proxy is said to be",
    topic="connection",
    sees="the proxy ... cannot be reached: ...",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize(
    "where",
    [("127.0.0.1:9", "connection refused or no route"), (f"{UNKNOWN}:3128", "its name cannot be resolved")],
)
def test_proxy_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sees: Callable[[object], None], scheme: str, where: tuple[str, str]
) -> None:
    look_up, (address, why) = socket.getaddrinfo, where

    def without_one(host: str, *arguments: Any, **named: Any) -> Any:
        if host == UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", without_one)
    path = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:6443")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["proxy-url"] = f"{scheme}://me:s3cr3t@{address}"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.raises(Unreachable) as caught:
        Cluster(open_connection(str(path)), 0.3).list(NODE)
    with pytest.raises(StreamRefused, match=rf"cannot be opened \(through the proxy {address}\): .*"):
        open_console(open_connection(str(path)).stream_options(), "demo", "web", 2)
    assert f"the proxy {scheme}://{address} cannot be reached: {why}; last request: GET Node" in str(caught.value)
    sees(caught.value)


@pytest.mark.circumstance(
    "the kubeconfig has no current-context",
    topic="connection",
    sees="has no current-context; name one with",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_context_may_be_named_where_none_is_current(api: FakeApi, kubeconfig: Path) -> None:
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    del config["current-context"]
    kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert Cluster(open_connection(str(kubeconfig), "there"), 2).list(NODE).items == []
    with pytest.raises(BadInput, match=r"has no current-context; name one with .*; it has: here, there"):
        open_connection(str(kubeconfig))


@pytest.mark.circumstance(
    "the current-context is not in the kubeconfig",
    topic="connection",
    sees="is not in kubeconfig",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_current_context_that_is_not_there_is_named(kubeconfig: Path) -> None:
    text = kubeconfig.read_text(encoding="utf-8").replace("current-context: here", "current-context: gone")
    kubeconfig.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r'context "gone" \(its current-context\) is not in kubeconfig .*: here, there'):
        open_connection(str(kubeconfig))


@pytest.mark.circumstance(
    "an exec plugin waits for a log-in in a browser",
    topic="connection",
    sees="gave no credentials within",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_exec_plugin_that_never_answers_is_given_up(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PLUGIN_SECONDS", 0.3)
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["3"]}
    config["users"][0]["user"] = {"exec": plugin}
    kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(BadInput, match='exec plugin "sleep" gave no credentials within 0 s'):
        open_connection(str(kubeconfig))
    assert time.monotonic() - began < 2


def with_plugin(kubeconfig: Path, script: str, **fields: object) -> str:
    """A kubeconfig whose user has the credentials that a shell script prints."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    version = "client.authentication.k8s.io/v1"
    plugin = {"apiVersion": version, "command": "sh", "args": ["-c", script], "interactiveMode": "Never", **fields}
    config["users"][0]["user"] = {"exec": plugin}
    kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
    return str(kubeconfig)


CREDENTIAL = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "by-exec"}}
PRINTED = f"echo '{json.dumps(CREDENTIAL)}'"


@pytest.mark.parametrize(
    ("script", "fields"),
    [
        pytest.param(
            PRINTED,
            {"env": None},
            marks=pytest.mark.circumstance(
                "the kubeconfig of a cloud has env: null for its exec plugin",
                topic="connection",
                sees="",
                verdict="PASS",
                source="https://github.com/kubernetes-client/python/issues/637",
            ),
        ),
        pytest.param(
            f"case $KUBERNETES_EXEC_INFO in *server*) {PRINTED} ;; *) exit 1 ;; esac",
            {"provideClusterInfo": True},
            marks=pytest.mark.circumstance(
                "an exec plugin needs to know the cluster (provideClusterInfo)",
                topic="connection",
                sees="",
                verdict="PASS",
                source="https://github.com/kubernetes-client/python/issues/2298",
            ),
        ),
        pytest.param(
            f"echo 'a new version of the plugin is there' >&2; {PRINTED}",
            {},
            marks=pytest.mark.circumstance(
                "an exec plugin prints advice beside the credentials, on the error output",
                topic="connection",
                sees="",
                verdict="PASS",
                source="https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins",
            ),
        ),
    ],
)
def test_exec_plugin_that_clouds_have(api: FakeApi, kubeconfig: Path, script: str, fields: dict[str, object]) -> None:
    cluster = Cluster(open_connection(with_plugin(kubeconfig, script, **fields)), 2)
    assert cluster.list(NODE).items == []
    assert api.seen[-1].headers["Authorization"] == "Bearer by-exec"


@pytest.mark.circumstance(
    "an exec plugin prints YAML, which kubectl takes",
    topic="connection",
    sees="gave no credentials ... it must print an ExecCredential in JSON",
    verdict="LAB ERROR",
    source="https://github.com/meta-pytorch/monarch/pull/4916",
)
def test_exec_plugin_that_prints_yaml(kubeconfig: Path, sees: Callable[[object], None]) -> None:
    path = with_plugin(kubeconfig, f"cat <<END\n{yaml.safe_dump(CREDENTIAL)}END")
    with pytest.raises(BadInput) as caught:
        open_connection(path)
    sees(caught.value)
    assert "by-exec" not in str(caught.value)
