# SPDX-License-Identifier: Apache-2.0
"""From evidence back to what the run said of it: whose fault, which test, sign-off and report.

The pages of evidence are written while the run lasts, when nothing of this is known yet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from testplan.page import Links
from testplan.results import Outcome, Results, Verdict

_PLACE = re.compile(r'(<nav id="back">).*?(</nav>)', re.DOTALL)
_BLAME = {
    Verdict.FAIL: "the product failed a test",
    Verdict.TEST_ERROR: "the suite is wrong; nothing is said of the product",
    Verdict.LAB_ERROR: "the lab is at fault; nothing is said of the product",
}


def link_back(results: Results, folder: Path, links: Links) -> list[Path]:
    """Completes the pages of evidence that lie below ``folder``; ``links`` are as seen from there."""
    tests: dict[str, list[Outcome]] = {}
    for outcome in results.outcomes:
        if outcome.evidence:
            tests.setdefault(outcome.evidence, []).append(outcome)
    return [path for name, group in tests.items() if (path := _complete(folder / name, folder, group, links))]


def _complete(path: Path, folder: Path, group: Sequence[Outcome], links: Links) -> Path | None:
    """The page, None where it is not there, as after results were copied without it."""
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return None
    text = path.read_text(encoding="utf-8")
    content = " · ".join(_parts(group, links, os.path.relpath(folder, path.parent)))
    path.write_text(_PLACE.sub(lambda found: found[1] + content + found[2], text, count=1), encoding="utf-8")
    return path


def _parts(group: Sequence[Outcome], links: Links, up: str) -> Iterator[str]:
    first = group[0]
    yield f"<b>{first.verdict}</b>: {_BLAME.get(first.verdict, 'no verdict on the product')}"
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    if links.log:
        yield f'test <a href="{up}/{escape(links.log)}#{escape(first.id)}">{escape(first.name)}</a>{more}'
    for name in dict.fromkeys(row for outcome in group for row in outcome.requirements):
        yield f'<a href="{up}/signoff.html#{escape(name)}">{escape(name)}</a>'
    if first.scenario:
        yield f'<a href="{up}/signoff.html#{escape(first.scenario)}">{escape(first.scenario)} in the sign-off</a>'
    if links.report:
        yield f'<a href="{up}/{escape(links.report)}">report</a>'
