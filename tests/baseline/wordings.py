"""Wordings that may change: what stands in the file from before is reworded first, then compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

KEYS = {"before", "after", "why"}


class WordingError(ValueError):
    """The file is not as it should be; the message names the entry."""


@dataclass
class Wording:
    """``before`` is text, or a regular expression between slashes: then ``after`` may have groups of it."""

    before: str
    after: str
    why: str
    used: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        between = re.fullmatch(r"/(.+)/", self.before, re.DOTALL)
        try:
            self._pattern = re.compile(between[1] if between else re.escape(self.before), re.MULTILINE)
        except re.error as error:
            raise WordingError(f"{self.before!r}: {error}") from error
        self._after = self.after if between else self.after.replace("\\", r"\\")

    def applied(self, text: str) -> str:
        try:
            text, count = self._pattern.subn(self._after, text)
        except (re.error, IndexError) as error:
            raise WordingError(f"{self.before!r}: {self.after!r}: {error}") from error
        self.used += count
        return text


def load_wordings(path: Path) -> list[Wording]:
    """A list of ``before``, ``after`` and ``why``; in this order they are applied, each to what the last one left."""
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
        if not isinstance(entry, dict) or set(entry) != KEYS:
            raise WordingError(f"{path}: {entry}: expected {', '.join(sorted(KEYS))}")
        before, after, why = (entry[name] for name in ("before", "after", "why"))
        if not before or not why or not all(isinstance(text, str) for text in (before, after, why)):
            raise WordingError(f"{path}: {entry}: all three must be text, and only after may be empty")
        found.append(Wording(before, after, why))
    return found


def reworded(text: str, wordings: list[Wording]) -> str:
    for wording in wordings:
        text = wording.applied(text)
    return text
