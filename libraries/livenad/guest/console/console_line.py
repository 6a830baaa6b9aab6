# SPDX-License-Identifier: Apache-2.0
"""One attachment to a serial console: what was typed, what came, and waiting for something to come."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from livenad.guest.console.console_frames import Frame, FrameScanner
from livenad.guest.console.console_text import TerminalText
from livenad.guest.streams import ByteStream, StreamClosed

T = TypeVar("T")

CTRL_C = "\x03"
CTRL_D = "\x04"
CTRL_U = "\x15"

_TAIL = 4000


class ConsoleLine:
    """Reads a console stream as text and frames. ``tail`` is the end of what came since `mark`.

    ``left`` tells whether the guest runs elsewhere by now: then the line may stay open, and silent. It is deaf when
    nothing came for ``patience`` seconds after something was typed, which a terminal shows even while a program runs.
    """

    def __init__(
        self, stream: ByteStream, left: Callable[[], bool] = lambda: False, patience: float = float("inf")
    ) -> None:
        self.left = left
        self._patience = patience
        self._unanswered_since: float | None = None
        self._stream = stream
        self._text = TerminalText()
        self._scanner = FrameScanner()
        self.tail = ""
        self.frames: list[Frame] = []

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def is_deaf(self, times: float = 1.0) -> bool:
        """Whether nothing has come for ``times`` the patience after something was typed."""
        since = self._unanswered_since
        return since is not None and time.monotonic() - since > times * self._patience

    def silence(self) -> str:
        """Which side has been silent, and for how long."""
        return self._stream.silence()

    def mark(self) -> None:
        """Forgets what came so far, as text and as frames; unfinished frames stay."""
        self.tail = ""
        self.frames.clear()

    def type(self, keys: str) -> None:
        """StreamClosed when the stream has ended, or takes nothing for so long that it must be dead."""
        if self._unanswered_since is None:
            self._unanswered_since = time.monotonic()
        try:
            self._stream.send(keys.encode())
        except TimeoutError as error:
            raise StreamClosed(f"the console takes no input: {error}") from None

    def read(self, timeout: float) -> bool:
        """Takes in what comes; False after ``timeout`` seconds of silence. StreamClosed at the stream's end."""
        try:
            data = self._stream.receive(timeout)
        except TimeoutError:
            return False
        if not data:
            raise StreamClosed("the console ended")
        self._unanswered_since = None
        text = self._text.feed(data)
        self.tail = (self.tail + text)[-_TAIL:]
        self.frames.extend(self._scanner.feed(text))
        return True

    def wait_for(self, look: Callable[[], T | None], timeout: float) -> T | None:
        """What ``look`` finds, asked again after everything that comes; None when the time is over."""
        end = time.monotonic() + timeout
        while True:
            found = look()
            if found is not None:
                return found
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.read(left)

    def settle(self, quiet: float, timeout: float) -> None:
        """Reads until nothing came for ``quiet`` seconds, or ``timeout`` is over: some programs never fall silent."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0 and self.read(min(quiet, left)):
            pass

    def search(self, pattern: re.Pattern[str]) -> Callable[[], re.Match[str] | None]:
        """A ``look`` for `wait_for`: the pattern in the text since the last mark."""
        return lambda: pattern.search(self.tail)

    def frame(self, frame_id: str, kind: str) -> Callable[[], Frame | None]:
        """A ``look`` for `wait_for`: a frame of this id and kind since the last mark."""
        return lambda: next((f for f in self.frames if f.id == frame_id and f.kind == kind), None)

    def close(self) -> None:
        self._stream.close()
