# SPDX-License-Identifier: Apache-2.0
"""Kubeconfigs, good and bad."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from livenad.api.client import Cluster
from livenad.api.connection import Connection, open_connection
from livenad.cluster.facts import read_version
from livenad.errors import BadInput, LabError

from tests.unit.support.kubeconfig import TOKEN, write_kubeconfig


def test_missing_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r'kubeconfig "/no/such/file" \(variable KUBECONFIG\) does not exist; give one'):
        open_connection("/no/such/file")


def test_environment_is_the_second_choice(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    assert open_connection().source == str(kubeconfig)


def test_unknown_context_lists_those_there_are(kubeconfig: Path) -> None:
    with pytest.raises(BadInput, match=r'context "nowhere" \(variable CONTEXT\).*it has: here, there'):
        open_connection(str(kubeconfig), "nowhere")


def test_broken_file_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("clusters: [")
    with pytest.raises(BadInput) as caught:
        open_connection(str(broken))
    assert str(broken) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stream_options_carry_the_token_and_hide_it(kubeconfig: Path) -> None:
    options = open_connection(str(kubeconfig)).stream_options()
    assert options.base_url.startswith("ws://127.0.0.1:")
    assert options.headers["Authorization"] == f"Bearer {TOKEN}"
    assert options.websocket_arguments()["http_no_proxy"] == ["*"]
    assert TOKEN not in repr(options)


def test_token_file_is_read_again_on_401(api: object, kubeconfig: Path) -> None:
    connection = open_connection(str(kubeconfig))
    kubeconfig.write_text(kubeconfig.read_text().replace(TOKEN, "renewed"))
    assert connection.renew()
    assert connection.headers()["Authorization"] == "Bearer renewed"


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ("https://127.0.0.1:9", "connection refused"),
        ("https://no-such-host.invalid:6443", "cannot be resolved"),
    ],
)
def test_unreachable_server_is_named_soon(tmp_path: Path, server: str, why: str) -> None:
    connection = open_connection(str(write_kubeconfig(tmp_path / "config", server)))
    began = time.monotonic()
    with pytest.raises(LabError) as caught:
        read_version(Cluster(connection, patience=1))
    assert time.monotonic() - began < 8
    message = str(caught.value)
    assert f"cannot reach API server {server}" in message
    assert str(tmp_path / "config") in message
    assert why in message


@pytest.mark.circumstance(
    "the port of the API server speaks no TLS",
    topic="connection",
    sees="TLS failed",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_plain_http_answer_on_a_tls_port_is_a_tls_error(api: object, kubeconfig: Path, tmp_path: Path) -> None:
    server = open_connection(str(kubeconfig)).server.replace("http:", "https:")
    connection: Connection = open_connection(str(write_kubeconfig(tmp_path / "tls", server)))
    with pytest.raises(LabError, match="TLS failed"):
        read_version(Cluster(connection, patience=5))
