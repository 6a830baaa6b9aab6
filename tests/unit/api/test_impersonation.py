# SPDX-License-Identifier: Apache-2.0
"""The user that a kubeconfig impersonates: sent to the API server by each request, watch and stream."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE
from livenad.errors import BadInput
from livenad.guest.streams import StreamRefused, open_console

from tests.unit.support.kubeconfig import write_kubeconfig

IMPERSONATED = {
    "as": "jane",
    "as-uid": "u-1",
    "as-groups": ["dev", "qa, too"],
    "as-user-extra": {"scopes/Of": ["view", "edit"]},
}
TOLD = [
    ("Impersonate-User", "jane"),
    ("Impersonate-Uid", "u-1"),
    ("Impersonate-Group", "dev"),
    ("Impersonate-Group", "qa, too"),
    ("Impersonate-Extra-scopes%2FOf", "view"),
    ("Impersonate-Extra-scopes%2FOf", "edit"),
]


class Ear:
    """A server that hears one request after the other and refuses it."""

    def __init__(self) -> None:
        self.heard: list[list[tuple[str, str]]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as lines:
                lines.readline()
                found = []
                while line := lines.readline().strip().decode():
                    name, _, value = line.partition(": ")
                    found.append((name, value))
                self.heard.append([pair for pair in found if pair[0].startswith("Impersonate")])
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def impersonating(path: Path, server: str, user: dict[str, Any]) -> Path:
    config = yaml.safe_load(write_kubeconfig(path, server).read_text(encoding="utf-8"))
    config["users"][0]["user"] |= user
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.mark.circumstance(
    "the kubeconfig impersonates another user",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_requests_watches_and_streams_impersonate(tmp_path: Path) -> None:
    ear = Ear()
    cluster = Cluster(open_connection(str(impersonating(tmp_path / "config", ear.url, IMPERSONATED))), patience=2)
    assert cluster.find(NODE, "n1") is None
    assert cluster.open_watch(NODE.path(), {"watch": "true"}, 5).status == 404
    with pytest.raises(StreamRefused):
        open_console(cluster.stream_options(), "demo", "web", 5)
    assert ear.heard == [TOLD] * 3


def test_another_server_is_told_of_no_impersonation(tmp_path: Path) -> None:
    connection = open_connection(str(impersonating(tmp_path / "config", "https://127.0.0.1:9", IMPERSONATED)))
    assert "Authorization" in connection.own_headers()
    assert not [name for name in connection.own_headers() if name.startswith("Impersonate")]


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"as-groups": ["dev"]}, 'as-user-extra without "as"; name the user to impersonate'),
        ({"as": "jane\r\nX: y"}, "has a character that no header can have"),
    ],
)
def test_impersonation_that_cannot_be_is_bad_input(tmp_path: Path, user: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        open_connection(str(impersonating(tmp_path / "config", "https://127.0.0.1:9", user)))
