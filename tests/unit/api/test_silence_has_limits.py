# SPDX-License-Identifier: Apache-2.0
"""Requests, watches and credentials that fall silent hold no caller longer than its limit, and are named."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import yaml
from livenad.api import client, recorder
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE, VM, VMI
from livenad.api.recorder import Recorder
from livenad.api.watch import STOP_SECONDS
from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.model import GuestLogin, VmRecord

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.gateway import Gateway
from tests.unit.support.kubeconfig import write_kubeconfig

PATIENCE = 1.0
MARGIN = 1.5
"""Seconds; five with the limits that are not shortened here."""

EXPIRED = "2001-01-01T00:00:00Z"


@pytest.fixture
def gateway(api: FakeApi) -> Iterator[Gateway]:
    with Gateway(urlsplit(api.url).port or 0) as one:
        yield one


@pytest.fixture
def behind(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(client, "_SHORTEST_READ_SECONDS", 0.5)
    monkeypatch.setattr(client, "_SHORT_PATIENCE", 0.1)
    server = f"http://127.0.0.1:{gateway.port}"
    return Cluster(open_connection(str(write_kubeconfig(tmp_path / "config", server))), PATIENCE, PATIENCE)


def seconds_until_error(work: Callable[[], object], told: str, error: type[Exception] = LabError) -> float:
    began = time.monotonic()
    with pytest.raises(error, match=told):
        work()
    return time.monotonic() - began


def test_wait_that_ends_in_silence(
    api: FakeApi, gateway: Gateway, behind: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watches are silent and look quiet; that the server does not answer is noticed by the last look."""
    monkeypatch.setattr(recorder, "LAST_LOOK_SECONDS", PATIENCE)
    behind.patience = 30
    watching = Recorder(behind, "demo", kinds=(VM, VMI), watch_seconds=30)
    watching.start()
    gateway.silent = True
    took = seconds_until_error(
        lambda: watching.wait_for(lambda _: None, 0.3, "a", lambda: "b"), "connected, but silent"
    )
    assert took < 0.3 + PATIENCE + MARGIN
    began = time.monotonic()
    watching.stop()
    assert time.monotonic() - began < STOP_SECONDS + MARGIN


def kubeconfig_with(path: Path, server: str, command: str) -> str:
    """The plugin answers once, with a token that has expired; then it runs ``command``."""
    version, once = "client.authentication.k8s.io/v1", path.with_name("once")
    status = {"token": "a-token", "expirationTimestamp": EXPIRED}
    told = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
    script = f"if [ -e {once} ]; then {command}; else touch {once}; fi; printf '%s' '{told}'"
    plugin = {"apiVersion": version, "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}
    config = yaml.safe_load(write_kubeconfig(path, server).read_text(encoding="utf-8"))
    config["users"][0]["user"] = {"exec": plugin}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return str(path)


def test_exec_plugin_that_falls_silent_later(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again within a request, and within the opening of a stream."""
    monkeypatch.setattr(client, "_SHORTEST_READ_SECONDS", 0.5)
    cluster = Cluster(open_connection(kubeconfig_with(tmp_path / "config", api.url, "sleep 5")), PATIENCE)
    told = r"config gave no new credentials within .*: its exec plugin, or its file, was silent"
    assert seconds_until_error(lambda: cluster.list(NODE), told) < PATIENCE + MARGIN
    record = VmRecord("web", "demo", GuestLogin("tester", "", "", ""), [])
    guests = Guests(cluster, SimpleNamespace(history=None), lambda _: record, print)  # type: ignore[arg-type]
    took = seconds_until_error(lambda: guests._open(lambda *_: None, 0.5), told)  # type: ignore[arg-type]
    assert took < 0.5 + MARGIN
