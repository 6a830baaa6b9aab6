# SPDX-License-Identifier: Apache-2.0
"""Every kind of connection, black-holed at each of its steps, ends within its own limit and names who is silent.

A gateway lets a number of bytes of answers through, and none from then on: none at all, those of each message, and
almost all. Bytes of a guest's own, over SSH and on the console, are in test_ssh_silence.py and in tests/console.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from aiohttp import web
from livenad.api import client, recorder
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NAD, NODE, VMI
from livenad.api.recorder import Recorder
from livenad.errors import LabError
from livenad.guest.streams import WebSocketStream, open_console, open_port_forward
from livenad.metrics.nic_series import Poller
from livenad.metrics.sources import PrometheusApi

from tests.connect_proxy import connect_proxy
from tests.unit.support.authority import Authority
from tests.unit.support.gateway import Gateway
from tests.unit.support.socks_proxy import socks_proxy
from tests.unit.support.stream_server import LoopThread, StreamServer
from tests.unit.support.tls_api import TlsApi

LIMIT = 1.0
MARGIN = 5.0
"""Seconds: of every use below, and by how much it may be late."""

Use = Callable[[Cluster], object]
Step = int | str
"""How many bytes come, or one of the two before any can."""

NO_LOOK_UP, NO_CONNECTION = "no look-up", "no connection"
NAME = "without-an-answer.example"


def record(cluster: Cluster) -> None:
    watching = Recorder(cluster, "demo", kinds=(VMI,), watch_seconds=30)
    watching.start()
    watching.stop()


def read_metrics(cluster: Cluster) -> None:
    connection = cluster.connection
    source = PrometheusApi("Prometheus of the tests", connection.server, connection.pool, connection.headers)
    poller = Poller(source, "web", "demo", lambda _: None)
    poller.until(lambda _: True, time.monotonic() + cluster.patience, "metrics")


NEW = {"metadata": {"name": "blue", "namespace": "demo", "labels": {"live-nad-tests/run": "x"}}}
REQUESTS: dict[str, Use] = {
    "list": lambda cluster: cluster.list(NODE),
    "create": lambda cluster: cluster.create(NAD, NEW),
    "patch": lambda cluster: cluster.json_patch(NAD, "blue", "demo", [], lambda _: True),
    "delete": lambda cluster: cluster.delete(NAD, "blue", "demo"),
    "watch": record,
    "metrics": read_metrics,
}
STREAMS: dict[str, Use] = {
    "console": lambda cluster: open_console(cluster.stream_options(), "demo", "web", cluster.patience),
    "port-forward": lambda cluster: open_port_forward(cluster.stream_options(), "demo", "web", 22, cluster.patience),
}
USES = REQUESTS | STREAMS
WAYS = ("plain", "TLS", "CONNECT proxy", "SOCKS proxy")
SILENT = {
    "list": r"connected, but silent: no answer within|(?:the proxy [^ ]+ was )?silent: no connection within",
    "metrics": r"Prometheus of the tests: (?:silent for|no answer: .*timed out)",
    "watch": r"connected, but silent|not be listed within .*: (?:no answer from|.*silent: no connection|.*the proxy)",
    "console": r"the API server wss?://[^ ]+:\d+.* was silent: it opened no stream",
}
"""What is told; of all other requests what is told of a list."""


@dataclass
class Lab:
    """Where each way ends: its first port, which a gateway may stand before, and the scheme and proxy of the server."""

    folder: Path
    ports: dict[tuple[str, bool], int]
    servers: dict[tuple[str, bool], str]

    def cluster(self, way: str, name: str, address: str, *, streams: bool, limit: float = LIMIT) -> Cluster:
        """A client that goes this way, its first connection to ``address``."""
        server, ca = self.servers[way, streams], {"certificate-authority": str(self.folder / "ca.crt")}
        entry: dict[str, Any] = {"server": server} | (ca if server.startswith("https") else {})
        if way == "CONNECT proxy":
            entry["proxy-url"] = f"http://{address}"
        elif way == "SOCKS proxy":
            entry["proxy-url"] = f"socks5h://{address}"
        else:
            entry["server"] = f"{urlsplit(server).scheme}://{address}"
        config = {
            "clusters": [{"name": "lab", "cluster": entry}],
            "users": [{"name": "me", "user": {"token": "none"}}],
            "contexts": [{"name": "here", "context": {"cluster": "lab", "user": "me"}}],
            "current-context": "here",
        }
        path = self.folder / f"{way}-{name}-{address}".replace(":", "-")
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return Cluster(open_connection(str(path)), limit, limit)


@contextmanager
def deaf_port() -> Iterator[int]:
    """Its server takes no connection, and its queue is full: the next one gets no answer."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


async def says_nothing(console: web.WebSocketResponse) -> None:
    async for _ in console:
        pass


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, authority = tmp_path_factory.mktemp("ways"), Authority("root")
    (folder / "ca.crt").write_bytes(authority.pem)
    with ExitStack() as stack:
        tls = stack.enter_context(TlsApi(authority.server_side(folder)))
        plain = stack.enter_context(TlsApi(None))
        thread = LoopThread()
        stack.callback(thread.stop)
        streams = [StreamServer(thread, context) for context in (None, authority.server_side(folder))]
        target = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for one in streams:
            stack.callback(one.stop)
            one.console, one.target = says_nothing, target.getsockname()[1]
        connect = stack.enter_context(connect_proxy()).port
        socks = stack.enter_context(socks_proxy())
        servers, ports = {}, {}
        for way in WAYS:
            for is_stream in (False, True):
                bare = (
                    streams[way != "plain"].port if is_stream else urlsplit((plain if way == "plain" else tls).url).port
                )
                servers[way, is_stream] = f"{'http' if way == 'plain' else 'https'}://127.0.0.1:{bare}"
                ports[way, is_stream] = {"CONNECT proxy": connect, "SOCKS proxy": socks}.get(way, int(bare or 0))
        yield Lab(folder, ports, servers)


@pytest.fixture(scope="module")
def ends(lab: Lab) -> dict[tuple[str, str], list[tuple[Step, float, str]]]:
    """Of each use and way, at each step: the seconds, and what was told."""

    def marks(use: str, way: str) -> tuple[str, str, list[Step]]:
        streams = use in STREAMS
        with Gateway(lab.ports[way, streams]) as gateway:
            # A recorder works once it has its list.
            calm = lab.cluster(way, use, f"127.0.0.1:{gateway.port}", streams=streams, limit=30)
            whole = USES["list" if use == "watch" else use](calm)
            passed = list(gateway.marks)
            if isinstance(whole, WebSocketStream):
                whole.close()
        # A signature within TLS is some bytes longer or shorter each time.
        return use, way, [NO_LOOK_UP, NO_CONNECTION, *sorted({0, *passed[:-1], passed[-1] - 8})]

    def end(use: str, way: str, step: Step) -> tuple[str, str, Step, float, str]:
        with ExitStack() as stack:
            if step == NO_LOOK_UP:
                address = f"{NAME}:6443"
            elif step == NO_CONNECTION:
                address = f"127.0.0.1:{stack.enter_context(deaf_port())}"
            else:
                gateway = stack.enter_context(Gateway(lab.ports[way, use in STREAMS]))
                gateway.answers, address = int(step), f"127.0.0.1:{gateway.port}"
            cluster, told = lab.cluster(way, use, address, streams=use in STREAMS), ""
            began = time.monotonic()
            try:
                USES[use](cluster)
            except LabError as error:
                told = str(error)
            return use, way, step, time.monotonic() - began, told

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(300) as threads:
        whole = [marks(use, way) for use in USES for way in WAYS]
        patch.setattr(client, "_SHORTEST_READ_SECONDS", LIMIT / 2)
        patch.setattr(client, "_SHORT_PATIENCE", 0.1)
        patch.setattr(recorder, "_SYNC_SECONDS", LIMIT)
        patch.setattr("livenad.metrics.nic_series.LAST_LOOK_SECONDS", LIMIT)
        look_up = socket.getaddrinfo

        def silent_for_one(host: str, *arguments: Any, **named: Any) -> Any:
            if host == NAME:
                time.sleep(3 * LIMIT)
            return look_up(host, *arguments, **named)

        patch.setattr(socket, "getaddrinfo", silent_for_one)
        steps = [(use, way, step) for use, way, found in whole for step in found]
        found: dict[tuple[str, str], list[tuple[Step, float, str]]] = {}
        for use, way, step, seconds, told in threads.map(lambda one: end(*one), steps):
            found.setdefault((use, way), []).append((step, seconds, told))
    return found


@pytest.mark.circumstance(
    "a connection to the API server falls silent at any of its steps, also behind a proxy",
    topic="connection",
    sees="silent",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use", USES)
def test_connection_that_is_black_holed(
    ends: dict[tuple[str, str], list[tuple[Step, float, str]]], use: str, way: str
) -> None:
    assert len(ends[use, way]) > 2
    told = SILENT.get(use, SILENT["console" if use in STREAMS else "list"])
    wrong = [one for one in ends[use, way] if one[1] > LIMIT + MARGIN or not re.search(told, one[2])]
    assert not wrong, "\n".join(map(str, [*ends[use, way], "wrong:", *wrong]))
