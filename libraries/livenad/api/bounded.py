# SPDX-License-Identifier: Apache-2.0
"""A limit for calls of other people's libraries that take none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], late: Callable[[T], object] = lambda _: None) -> T:
    """What ``work`` gives or raises; TimeoutError after ``seconds``, whatever ``work`` does then.

    It goes on in its own thread, and ``late`` is called with what it gives after all: to close it.
    """
    lock = threading.Lock()
    over = threading.Event()
    found: list[T] = []
    failed: list[BaseException] = []
    given_up = False

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # it is raised in the thread that waits, where there still is one
            failed.append(error)
        else:
            with lock:
                found.append(result)
                too_late = given_up
            if too_late:
                late(result)
        over.set()

    threading.Thread(target=run, name="bounded call", daemon=True).start()
    over.wait(max(0.0, seconds))
    with lock:
        given_up = not found
    if found:
        return found[0]
    if failed:
        raise failed[0]
    raise TimeoutError(f"not done within {seconds:.1f} s")
