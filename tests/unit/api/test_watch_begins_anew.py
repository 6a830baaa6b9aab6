# SPDX-License-Identifier: Apache-2.0
"""A watch whose version has become too old lists again, in whatever words the server says so."""

from __future__ import annotations

import threading
import time

import pytest
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import NAD
from livenad.api.watch import WatchStream

NADS = NAD.path("demo")


class Scripted:
    """Stands for a cluster: every list is of a new version, and the watch of an old one is ended as scripted."""

    def __init__(self, status: int, event: dict[str, object] | None) -> None:
        self.lists = 0
        self.watched: list[str] = []
        self.again = threading.Event()
        self._status = status
        self._event = event

    def list(self, *_: object, **__: object) -> object:
        from livenad.api.client import Listing

        self.lists += 1
        return Listing([], str(self.lists))

    def open_watch(self, _path: str, query: dict[str, str], _timeout: float) -> object:
        self.watched.append(query["resourceVersion"])
        if query["resourceVersion"] == "1":
            return Answer(self._status, self._event)
        self.again.set()
        return Answer(200, None)


class Answer:
    def __init__(self, status: int, event: dict[str, object] | None) -> None:
        self.status = status
        self._event = event

    def read(self, _limit: int) -> bytes:
        return b"refused"

    def stream(self, *_: object, **__: object) -> list[bytes]:
        import json

        return [json.dumps({"type": "ERROR", "object": self._event}).encode() + b"\n"] if self._event else []

    def close(self) -> None:
        time.sleep(0.01)


@pytest.mark.circumstance(
    "a watch ends as its version was compacted",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("status", "event"),
    [
        (410, None),
        (504, None),
        (200, {"code": 410, "message": "too old resource version: 1 (2)"}),
        (200, {"code": 500, "reason": "Expired", "message": "etcdserver: mvcc: required revision has been compacted"}),
        (200, {"code": 500, "message": "etcdserver: mvcc: required revision has been compacted"}),
        (200, {"code": 504, "reason": "Timeout", "message": "Too large resource version"}),
        (200, {"code": 500, "message": "unable to decode an event from the watch stream"}),
    ],
)
def test_version_that_is_refused_is_not_asked_for_again(status: int, event: dict[str, object] | None) -> None:
    server = Scripted(status, event)
    stream = WatchStream(server, History(), NAD, "demo")  # type: ignore[arg-type]
    stream.start()
    assert server.again.wait(5)
    stream.stop()
    assert server.watched[:2] == ["1", "2"]


def test_server_that_refuses_every_version_is_asked_ever_less_often() -> None:
    server = Scripted(504, None)
    server.list = lambda *_, **__: type("L", (), {"items": [], "resource_version": "1"})()  # type: ignore[method-assign]
    stream = WatchStream(server, History(), NAD, "demo")  # type: ignore[arg-type]
    stream.start()
    time.sleep(1.5)
    stream.stop()
    assert 2 <= len(server.watched) <= 8


def test_list_that_is_forbidden_later_ends_no_stream(cluster: Cluster) -> None:
    """Only what could not be listed at first can never be."""
    from livenad.api.api_errors import ApiError

    stream = WatchStream(cluster, History(), NAD, "demo")
    stream._synced.set()
    assert stream._note(ApiError("no", 403)) is False


def test_a_stream_that_its_own_thread_closes_meanwhile_is_stopped() -> None:
    """As http.client fails where two threads close one answer, seen with Python 3.13 on a busy machine."""

    class Closed(Answer):
        def close(self) -> None:
            raise AttributeError("'NoneType' object has no attribute 'close'")

    stream = WatchStream(Scripted(410, None), History(), NAD, "demo")  # type: ignore[arg-type]
    stream._response = Closed(200, None)
    stream.stop()
    assert stream._stop.is_set()
