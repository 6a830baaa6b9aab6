# SPDX-License-Identifier: Apache-2.0
"""Following a few objects of the cluster while one waits for what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import Kind
from livenad.api.recorder import HEARTBEAT_SECONDS, Heartbeat
from livenad.api.watch import WatchStream
from livenad.text import human

_SYNC_SECONDS = 30.0

Watched = tuple[Kind, str | None, str]
"""A kind, a namespace (None: all, or none), and a label selector ("": all objects)."""


@contextmanager
def following(cluster: Cluster, *watched: Watched) -> Iterator[History]:
    """The history of these objects, which were listed once when it is given and are watched until the end."""
    history = History()
    streams = [WatchStream(cluster, history, kind, namespace, labels=labels) for kind, namespace, labels in watched]
    try:
        for stream in streams:
            stream.start()
        for stream in streams:
            stream.wait_synced(_SYNC_SECONDS)
        yield history
    finally:
        for stream in streams:
            stream.stop()


def wait_out(
    history: History, missing: Callable[[], str], *, awaited: str, within: float, heartbeat: Heartbeat
) -> tuple[str, str]:
    """Wait until ``missing`` has nothing to say any more, or something that begins with "!": that is hopeless.

    Gives what it said last, without that sign, "" when all has come; and for how long it was waited, in words.
    """
    began = time.monotonic()
    deadline = began + within
    while True:
        now = time.monotonic()
        history.wait(lambda: missing()[:1] in ("", "!"), min(deadline, now + HEARTBEAT_SECONDS))
        said, now = missing(), time.monotonic()
        if said[:1] in ("", "!") or now >= deadline:
            return said.removeprefix("!"), human(now - began)
        heartbeat(f"{awaited}: {said}; {human(deadline - now)} left")
