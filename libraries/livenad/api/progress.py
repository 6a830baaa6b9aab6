# SPDX-License-Identifier: Apache-2.0
"""Progress messages for waits that are not event-driven: inside of guests, for removals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livenad.api.recorder import HEARTBEAT_SECONDS, Heartbeat
from livenad.text import wait_line


@contextmanager
def ticking(
    heartbeat: Heartbeat,
    awaited: str,
    within: float | None = None,
    seen: Callable[[], str] = str,
    every: float = HEARTBEAT_SECONDS,
) -> Iterator[None]:
    """While the block runs, a line every ten seconds: what ``seen`` says, what is awaited, the time gone and left."""
    began, ended = time.monotonic(), threading.Event()

    def tick() -> None:
        while not ended.wait(every):
            gone = time.monotonic() - began
            heartbeat(wait_line(seen(), awaited, gone, None if within is None else within - gone))

    thread = threading.Thread(target=tick, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
