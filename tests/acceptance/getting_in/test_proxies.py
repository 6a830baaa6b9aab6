# SPDX-License-Identifier: Apache-2.0
"""The proxy of a kubeconfig or of the environment serves requests and streams alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from livenad.errors import BadInput, LabError

from tests.connect_proxy import ConnectProxy, connect_proxy

from .uses import ADMIN, Edit, assert_in, opened, stream_status, whoami, with_cluster

NAME = "kubernetes.default.svc"


@pytest.fixture
def open_proxy() -> Iterator[ConnectProxy]:
    with connect_proxy() as found:
        yield found


def test_proxy_url_of_the_kubeconfig_is_for_requests_and_streams(
    edited: Callable[[Edit], Path], open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cluster = opened(edited(with_cluster(**{"proxy-url": open_proxy.url})))
    assert whoami(cluster) == ADMIN
    requests = len(open_proxy.asked)
    assert requests > 0
    assert stream_status(cluster) == 404
    assert len(open_proxy.asked) == requests + 1
    assert set(open_proxy.asked) == {cluster.connection.server.removeprefix("https://")}


def elsewhere(config: dict[str, Any]) -> None:
    """The server by a name that its certificate has and the proxy alone knows: a loopback goes through none."""
    entry = config["clusters"][0]["cluster"]
    entry["server"] = f"https://{NAME}:{entry['server'].rpartition(':')[2]}"


def test_proxy_of_the_environment_is_for_requests_and_streams(
    edited: Callable[[Edit], Path], open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url)
    open_proxy.names[NAME] = "127.0.0.1"
    assert_in(opened(edited(elsewhere)))
    assert len(open_proxy.asked) >= 2


def test_loopback_goes_around_the_proxy_of_the_environment(
    kubeconfig: Path, open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url)
    assert_in(opened(kubeconfig))
    assert open_proxy.asked == []


@pytest.mark.parametrize("pattern", [NAME, "default.svc", "*"])
def test_no_proxy_goes_around_the_proxy_of_the_environment(
    edited: Callable[[Edit], Path], open_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", open_proxy.url)
    monkeypatch.setenv("NO_PROXY", f"example.com,{pattern}")
    cluster = opened(edited(elsewhere))
    assert cluster.connection.proxy_to(cluster.connection.server) == ""
    assert cluster.stream_options().proxy is None


def test_proxy_with_a_login_gets_it_for_requests_and_streams(edited: Callable[[Edit], Path]) -> None:
    with connect_proxy("lab:s3cret") as proxy:
        assert_in(opened(edited(with_cluster(**{"proxy-url": proxy.url}))))
        assert proxy.refused == 0


@pytest.mark.circumstance(
    "the proxy wants another password",
    topic="connection",
    sees="the proxy http:// ... refuses",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_refusal_of_a_proxy_names_it_without_its_password(edited: Callable[[Edit], Path]) -> None:
    with connect_proxy("lab:s3cret") as proxy:
        wrong = proxy.url.replace("s3cret", "wr0ng")
        cluster = opened(edited(with_cluster(**{"proxy-url": wrong})))
        with pytest.raises(LabError) as caught:
            whoami(cluster)
    assert f"the proxy http://127.0.0.1:{proxy.port} refuses" in str(caught.value)
    assert "wr0ng" not in str(caught.value)


@pytest.mark.circumstance(
    "the proxy itself is reached by TLS",
    topic="connection",
    sees="no proxy that is itself reached by TLS",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_streams_through_a_proxy_behind_tls_are_refused_in_words(edited: Callable[[Edit], Path]) -> None:
    cluster = opened(edited(with_cluster(**{"proxy-url": "https://lab:s3cret@127.0.0.1:9"})))
    with pytest.raises(BadInput, match=r"proxy https://127.0.0.1:9 .* no proxy that is itself reached by TLS"):
        cluster.stream_options()
