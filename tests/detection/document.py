# SPDX-License-Identifier: Apache-2.0
"""Writes docs/detection.md, and the same as HTML beside it. Cases that were not run keep their text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from emulator.fault_points import all_defects
from testplan.results import Verdict
from testplan.suites import PlannedTest
from tests.detection.judging import Judged, sentence_of
from tests.detection.report import STYLE, rows_of, said
from tests.detection.table import Case

HEAD = """# What the suites catch

Each defect is one fault that a real product, node, guest or lab can have. The embedded cluster has it if it is told to.
A defect counts as caught if the tests of its requirement fail with a message that names the object, what was expected
and what was seen. No other test may fail, not even in an unrelated control suite. A fault of the lab must end in a LAB
ERROR that names it, or in a pass; it must never count as a fault of the product. This command writes this page and the
same as a [table](detection.html):

<!-- skip: it takes half an hour -->
```bash
.venv/bin/python -m tests.detection --document
```

"""
NOT_AS_IT_MUST = "**Not as it must be:** "
_SECTION = re.compile(r"^## (.+)\n", re.MULTILINE)
_ROW = re.compile(r"^\| (.*?)(?<!\\) \| (FAIL|TEST ERROR|LAB ERROR|SKIP) \| (.*) \|$", re.MULTILINE)


def write(path: Path, judged: Sequence[Judged], table: Sequence[Case], missing: Sequence[PlannedTest]) -> None:
    """Write the page to ``path`` and its HTML beside it: all cases that ever ran, in the order of the table."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = sections(before) | {one.case.title: section(one) for one in judged}
    kept = {case.title: found[case.title] for case in table if case.title in found}
    path.write_text(page(kept, table, missing), encoding="utf-8")
    path.with_suffix(".html").write_text(html(kept, table, missing), encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The text below each title."""
    _, *parts = _SECTION.split(text)
    return {title: body.strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}


def section(one: Judged) -> str:
    """The section of a case: its sentence, and each red test with its message."""
    case, rows = one.case, rows_of(one)
    parts = [f"{sentence_of(case)}{f' ({rows})' if rows else ''}{f' {case.why}' if case.why else ''}"]
    if not one.caught:
        parts.append(NOT_AS_IT_MUST + _cell("; ".join(one.wrong)[:600]))
    if one.red:
        red = [f"| {_cell(outcome.name)} | {outcome.verdict} | {_cell(said(outcome))} |" for outcome in one.red]
        parts.append("\n".join(["| Red test | Verdict | What it says |", "|---|---|---|", *red]))
    elif one.printed:
        parts.append(f"There are no results. The run says: `{one.printed}`")
    else:
        parts.append("No test turns red.")
    return "\n\n".join(parts)


def page(found: dict[str, str], table: Sequence[Case], missing: Sequence[PlannedTest]) -> str:
    """The whole text."""
    parts = [HEAD + summary(found, table, missing)]
    parts += [f"## {title}\n\n{text}" for title, text in found.items()]
    parts += [f"Nothing turns red: {test.source.stem}: {test.name}" for test in missing]
    return "\n\n".join(parts) + "\n"


def summary(found: dict[str, str], table: Sequence[Case], missing: Sequence[PlannedTest]) -> str:
    """One line: the number of defects and cases, and how many of them had the expected result."""
    wrong = sum(NOT_AS_IT_MUST in text for text in found.values())
    names = {case.defect for case in table if case.title in found and case.defect}
    faults = len({case.lab for case in table if case.title in found and case.lab}) + sum(
        all_defects()[name].fault == "lab" for name in names if name in all_defects()
    )
    never = f" Cases that were never run: {len(table) - len(found)}." if len(found) < len(table) else ""
    return (
        f"{len(names)} defects in {len(found)} cases, {faults} faults of the lab among them: "
        f"{len(found) - wrong} had the expected result, {wrong} did not. "
        f"Tests that no defect makes fail: {len(missing)}.{never}"
    )


def html(found: dict[str, str], table: Sequence[Case], missing: Sequence[PlannedTest]) -> str:
    """One table: defect by test, verdict, and the first line of the message."""
    rows = "\n".join(_html_rows(title, text) for title, text in found.items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>What the suites catch</title><style>{STYLE}</style>"
        f"<h1>What the suites catch</h1><p>{escape(summary(found, table, missing))}</p>"
        f"<table><tr><th>Case<th>Test<th>Verdict<th>What it says</tr>\n{rows}\n</table></html>\n"
    )


def _html_rows(title: str, text: str) -> str:
    sentence, *rest = text.split("\n\n")
    red = [(name, verdict, message.replace("\\|", "|")) for name, verdict, message in _ROW.findall(text)]
    cells = [
        f"<td>{escape(name)}<td class={Verdict(verdict).name}>{verdict}<td>{escape(message)}</tr>"
        for name, verdict, message in red
    ] or [f"<td><td class=PASS>PASS<td>{escape(rest[-1])}</tr>" if rest else "<td><td><td></tr>"]
    head = f"<tr><td rowspan={len(cells)}><b>{escape(title)}</b><br>{escape(sentence)}"
    return head + "\n<tr>".join(cells)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
