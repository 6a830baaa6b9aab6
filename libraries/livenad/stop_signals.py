# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM, held back for the moments in which they would break something that outlives them.

Robot answers such a signal by an exception in the main thread, wherever that thread is. Within the few instructions in
which a queue or a condition takes its lock the lock stays taken for ever, and the teardown, which needs the same
connections, hangs. So the handler that is there (Robot's) is called a few milliseconds later, when that is over, or
when the thread waits: it then stands at one and the same instruction. A thread that is stopped while it waits for a
lock has not taken it. Nothing else is assumed of Python's own modules, whose insides differ
from version to version.
"""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM)
_DELICATE = ("threading", "queue", "concurrent.futures", "logging", "paramiko", "weakref", "_weakrefset")
"""They take locks in Python code, or swallow what is raised in them."""

_ASK_AGAIN = 0.002
_LOOKS = 5
"""Number of consecutive looks that must find one and the same instruction: then the thread waits."""

_PATIENCE = 2.0
"""Seconds after which a signal is passed on wherever the main thread is."""

Handler = Callable[[int, FrameType | None], Any]


class StopSignalGuard:
    """Stands before the handlers of SIGINT and SIGTERM. A second signal is passed on at once, as is the first then."""

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self._held: int | None = None
        self._held_since = 0.0
        self._main = 0
        self._place: tuple[FrameType, int] | None = None
        self._looks = 0
        # A signal of its own, so that asking again is never taken for a second Ctrl-C.
        self._again = signal.SIGRTMIN + 3 if hasattr(signal, "SIGRTMIN") else signal.SIGUSR2

    def install(self) -> None:
        """Does nothing outside of the main thread, and for a signal that ends the process without a handler."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _STOPPING:
            handler = signal.getsignal(number)
            if callable(handler) and handler != self._receive:
                self._handlers[number] = handler
                signal.signal(number, self._receive)
        signal.signal(self._again, self._look_again)
        self._main = threading.get_ident()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._held is None and _is_delicate(frame):
            self._held, self._held_since = number, time.monotonic()
            self._waits_at(frame)
            # No threading.Thread: its bookkeeping may be just what was interrupted.
            _thread.start_new_thread(self._remind, ())
            return
        first, self._held, self._place = self._held, None, None
        if first is not None:
            with suppress(Exception):
                self._handlers[first](first, frame)
        self._handlers[number](number, frame)

    def _remind(self) -> None:
        while self._held is not None:
            # No event tells that the main thread has left a function of these modules: it has to be looked at again.
            time.sleep(_ASK_AGAIN)
            signal.pthread_kill(self._main, self._again)

    def _look_again(self, _: int, frame: FrameType | None) -> None:
        if self._held is None:
            return
        waits, patient = self._waits_at(frame), time.monotonic() - self._held_since < _PATIENCE
        if _is_delicate(frame) and not waits and patient:
            return
        number, self._held, self._place = self._held, None, None
        self._handlers[number](number, frame)

    def _waits_at(self, frame: FrameType | None) -> bool:
        """Whether the main thread has stood at one place for several looks."""
        before, self._place = self._place, (frame, frame.f_lasti) if frame is not None else None
        self._looks = self._looks + 1 if before is not None and before == self._place else 0
        return self._looks >= _LOOKS


def _is_delicate(frame: FrameType | None) -> bool:
    """Whether an exception here might leave a lock taken: somewhere below the project's own code."""
    return any(
        module == name or module.startswith(f"{name}.") for module in map(_module, _frames(frame)) for name in _DELICATE
    )


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


GUARD = StopSignalGuard()
