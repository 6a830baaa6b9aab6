# SPDX-License-Identifier: Apache-2.0
"""Wordings that may change: what stands in the file from before is reworded first, then compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

KEYS = {"before", "after", "why"}
SCENARIO = "scenario"


class WordingError(ValueError):
    """The file is not as it should be; the message names the entry."""


@dataclass
class Wording:
    """``before`` is text, or a regular expression between slashes: then ``after`` may have groups of it.

    With a ``scenario`` (``nad-NN``) it applies to names and messages of the tests of that scenario only.
    """

    before: str
    after: str
    why: str
    scenario: str = ""
    used: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        between = re.fullmatch(r"/(.+)/", self.before, re.DOTALL)
        try:
            self._pattern = re.compile(between[1] if between else re.escape(self.before), re.MULTILINE)
        except re.error as error:
            raise WordingError(f"{self.before!r}: {error}") from error
        self._after = self.after if between else self.after.replace("\\", r"\\")

    def of(self, scenario: str) -> bool:
        return self.scenario in {"", scenario}

    def applied(self, text: str) -> str:
        try:
            text, count = self._pattern.subn(self._after, text)
        except (re.error, IndexError) as error:
            raise WordingError(f"{self.before!r}: {self.after!r}: {error}") from error
        self.used += count
        return text


def load_wordings(path: Path) -> list[Wording]:
    """A list of ``before``, ``after``, ``why`` and perhaps ``scenario``, applied in order, each to the last result."""
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
        if not isinstance(entry, dict) or set(entry) - {SCENARIO} != KEYS:
            raise WordingError(f"{path}: {entry}: expected {', '.join(sorted(KEYS))}, and perhaps {SCENARIO}")
        if not all(isinstance(text, str) for text in entry.values()):
            raise WordingError(f"{path}: {entry}: every value must be text")
        if not entry["before"] or not entry["why"] or entry.get(SCENARIO) == "":
            raise WordingError(f"{path}: {entry}: only after may be empty")
        found.append(Wording(**entry))
    return found


def reworded(text: str, wordings: list[Wording], scenario: str = "") -> str:
    """The text as it is said now. Without a ``scenario`` only wordings without one apply."""
    for wording in wordings:
        if wording.of(scenario):
            text = wording.applied(text)
    return text
