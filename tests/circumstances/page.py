# SPDX-License-Identifier: Apache-2.0
"""The page of all circumstances, docs/circumstances.md."""

from __future__ import annotations

from collections.abc import Sequence

from tests.circumstances.marks import TESTS, TOPICS, TRIED, VERDICTS, Circumstance

PAGE = TESTS.parent / "docs" / "circumstances.md"
HEAD = """# Circumstances

What real clusters and machines bring that no scenario lists: what happens, what a user sees, whose fault it is said to
be, where it is known from, and the test that tries it. Texts are parts of the message; "..." stands for what differs
from run to run. This command writes the page from the marks of the tests:

<!-- run -->
```bash
.venv/bin/python -m tests.circumstances
```
"""


def page(marks: Sequence[Circumstance]) -> str:
    """The whole text."""
    used = {one.verdict for one in marks}
    meanings = [f"- **{verdict}**: {meaning}" for verdict, meaning in VERDICTS.items() if verdict in used]
    parts = [HEAD, f"{len(marks)} circumstances. The verdicts:\n", "\n".join(meanings), ""]
    for topic, title in TOPICS.items():
        rows = [_row(one) for one in marks if one.topic == topic]
        if rows:
            head = ["| What happens | What a user sees | Verdict | Known from | Tried by |", "|---|---|---|---|---|"]
            parts += [f"## {title}\n", "\n".join(head + rows), ""]
    return "\n".join(parts)


def _row(one: Circumstance) -> str:
    file, _, name = one.test.partition("::")
    tried = f"[{name}](../{file})"
    source = TRIED if one.source == TRIED else f"[{_short(one.source)}]({one.source})"
    cells = (one.title, one.sees or "nothing", one.verdict, source, tried)
    return f"| {' | '.join(map(_cell, cells))} |"


def _short(address: str) -> str:
    """``kubevirt/kubevirt#123`` for a thread on GitHub, the host for another address."""
    parts = address.removeprefix("https://").split("/")
    if parts[0] == "github.com" and len(parts) >= 5:
        return f"{parts[1]}/{parts[2]}#{parts[4]}"
    return parts[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
