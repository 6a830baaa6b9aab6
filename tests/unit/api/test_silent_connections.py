# SPDX-License-Identifier: Apache-2.0
"""Connections that die without a word: what may be asked again is asked on a new one, well within patience."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from livenad.api import client, pool
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE
from livenad.errors import LabError, Unreachable

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.gateway import Gateway
from tests.unit.support.kubeconfig import write_kubeconfig


@pytest.fixture
def gateway(api: FakeApi) -> Iterator[Gateway]:
    with Gateway(urlsplit(api.url).port or 0) as one:
        yield one


@pytest.fixture
def behind(gateway: Gateway, tmp_path: Path) -> Cluster:
    return Cluster(open_connection(str(write_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{gateway.port}"))), 9)


def in_parallel(cluster: Cluster, number: int = 8) -> None:
    with ThreadPoolExecutor(number) as threads:
        assert all(listing.items == [] for listing in threads.map(lambda _: cluster.list(NODE), range(number)))


@pytest.mark.circumstance(
    "a balancer drops idle connections without a word",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_requests_after_the_gateway_forgot_all_connections(
    api: FakeApi, gateway: Gateway, behind: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_SHORTEST_READ_SECONDS", 0.5)
    api.delay = 0.1
    in_parallel(behind)
    api.delay = 0.0
    assert gateway.opened == 8
    gateway.forget()
    began = time.monotonic()
    in_parallel(behind)
    assert time.monotonic() - began < behind.patience / 2
    assert 8 < gateway.opened <= 16


def test_connection_that_was_idle_for_long_is_not_used_again(
    gateway: Gateway, behind: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind.list(NODE)
    behind.list(NODE)
    assert gateway.opened == 1
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    gateway.forget()
    began = time.monotonic()
    behind.list(NODE)
    assert gateway.opened == 2
    assert time.monotonic() - began < 1


@pytest.mark.circumstance(
    "the API server accepts connections and never answers",
    topic="connection",
    sees="connected, but silent: no answer within",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_server_that_stays_silent_costs_the_patience_and_is_named(
    gateway: Gateway, behind: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_SHORTEST_READ_SECONDS", 0.5)
    behind.patience = 2.0
    gateway.silent = True
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"connected, but silent: no answer within \d s; last request: GET Node"):
        behind.list(NODE)
    assert time.monotonic() - began < behind.patience + 2


def test_closed_client_tries_once_and_does_not_spin(api: FakeApi, behind: Cluster) -> None:
    behind.close()
    api.faults.extend(Fault("GET", "", 503) for _ in range(50))
    began = time.monotonic()
    with pytest.raises(LabError):
        behind.list(NODE)
    assert time.monotonic() - began < 1
    assert len(api.requests("GET")) == 1
