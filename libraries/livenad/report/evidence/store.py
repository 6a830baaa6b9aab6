# SPDX-License-Identifier: Apache-2.0
"""The folder of one piece of evidence: every text is redacted before it is written, and the size is limited."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from livenad.report.evidence.catalogue import BYTES, FILE_BYTES, SECONDS
from livenad.report.evidence.redaction import Redaction


@dataclass
class Allowance:
    """The remaining time and size for a suite's evidence."""

    seconds: float = SECONDS
    bytes: int = BYTES

    @property
    def spent(self) -> bool:
        """Whether there is nothing left."""
        return self.seconds <= 0 or self.bytes <= 0


class Store:
    """Writes files of text into ``folder``; safe for several threads. `close` keeps late threads from writing."""

    def __init__(self, folder: Path, redaction: Redaction, allowance: Allowance) -> None:
        self.folder = folder
        self.redaction = redaction
        self._allowance = allowance
        self._lock = threading.Lock()
        self._closed = False
        self.size = 0

    def write(self, name: str, text: str) -> str:
        """Write a file; returns a remark when it is shortened or left out, else ""."""
        if not text.strip():
            return "empty"
        data = self.redaction.text(text).encode()
        with self._lock:
            if self._closed:
                return "came too late"
            room = min(FILE_BYTES, self._allowance.bytes)
            if room <= 0:
                return "left out: there is no room left"
            kept = data[-room:] if len(data) > room else data
            (self.folder / name).write_bytes(kept)
            self._allowance.bytes -= len(kept)
            self.size += len(kept)
        return "" if len(kept) == len(data) else f"the last {len(kept)} of {len(data)} bytes"

    def close(self) -> None:
        """Write no further files."""
        with self._lock:
            self._closed = True
