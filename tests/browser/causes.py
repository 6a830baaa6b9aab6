# SPDX-License-Identifier: Apache-2.0
"""Whether a red run tells its cause at once: in one line, and on one screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from testplan.results import BAD, Outcome
from tests.browser.webdriver import Browser

FILE = Path(__file__).with_name("causes.yaml")

# The text that is wholly within the window as it opens. What is folded or only for screen readers has no box.
_FIRST_SCREEN = """
const seen = [], nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (nodes.nextNode()) {
  const range = document.createRange();
  range.selectNodeContents(nodes.currentNode);
  const box = range.getBoundingClientRect();
  if (box.height && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth)
    seen.push(nodes.currentNode.textContent);
}
return seen.join(' ');
"""


@dataclass(frozen=True)
class Cause:
    """A defect and what has to be read of it: ``message`` and ``screen`` are patterns, ``cause`` is for people."""

    defect: str
    suite: str
    cause: str
    message: str
    screen: Sequence[str]


def load_causes() -> list[Cause]:
    """All of the file."""
    return [Cause(**entry) for entry in yaml.safe_load(FILE.read_text(encoding="utf-8"))]


def evidence_of(metadata: Mapping[str, str]) -> str:
    """The path of a test's evidence within the results, "" when nothing was kept."""
    return metadata.get("Evidence", "").strip("[]").partition("|")[0]


def untold(cause: Cause, outcomes: Sequence[Outcome], folder: Path, window: Browser) -> list[str]:
    """What a reader of the results in ``folder`` is not told of the cause; empty: nothing is missing."""
    red = next((outcome for outcome in outcomes if outcome.verdict in BAD), None)
    if red is None:
        return ["no test is red"]
    missing = []
    if not re.search(cause.message, red.first_line):
        missing.append(f"{cause.message!r} is not in the first line of {red.name!r}: {red.first_line}")
    page = folder / evidence_of(red.metadata)
    if not page.is_file():
        return [*missing, f"{red.name!r} has no evidence"]
    window.open(page)
    shown = " ".join(str(window.run(_FIRST_SCREEN)).split())
    unseen = [one for one in cause.screen if not re.search(one, shown)]
    return missing + [f"{one!r} is not on the first screen of {page}: {shown}" for one in unseen]
