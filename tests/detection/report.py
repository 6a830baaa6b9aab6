# SPDX-License-Identifier: Apache-2.0
"""The matrix of detection of one run as a page, with links to its logs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from emulator.fault_points import all_defects
from testplan.results import Outcome
from testplan.suites import PlannedTest
from tests.detection.judging import Judged, sentence_of


def rows_of(judged: Judged) -> str:
    """The requirement rows that the case's defect violates."""
    name = judged.case.defect
    return ", ".join(all_defects()[name].rows) if name else ""


def said(outcome: Outcome) -> str:
    """The first line of a message, shortened."""
    return outcome.first_line[:300]


def _summary(judged: Sequence[Judged], missing: Sequence[PlannedTest]) -> str:
    wrong = sum(not one.caught for one in judged)
    names = {one.case.defect for one in judged if one.case.defect}
    return (
        f"{len(names)} defects in {len(judged)} cases: {len(judged) - wrong} had the expected result, {wrong} did not. "
        f"Tests that no defect makes fail: {len(missing)}."
    )


STYLE = """body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}
td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
.FAIL{background:#fbd5d5}.LAB_ERROR{background:#fde9c9}.TEST_ERROR{background:#eadcf7}.PASS{background:#d9f2dd}
.SKIP{background:#eee}.no{color:#b00;font-weight:bold}"""


def html(judged: Sequence[Judged], missing: Sequence[PlannedTest], seconds: float, folder: Path) -> str:
    """detection.html, with links to the logs of the runs below ``folder``."""
    rows = "\n".join(_html_rows(one, folder) for one in judged)
    lacking = "".join(f"<li>{escape(test.source.stem)}: {escape(test.name)}</li>" for test in missing)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>What the suites catch</title><style>{STYLE}</style>"
        f"<h1>What the suites catch</h1><p>{escape(_summary(judged, missing))} {seconds:.0f} s.</p><ul>{lacking}</ul>"
        f"<table><tr><th>Case<th>Rows<th>As it must<th>Test<th>Verdict<th>What it says</tr>\n{rows}\n</table></html>\n"
    )


def _html_rows(one: Judged, folder: Path) -> str:
    shown: Iterable[Outcome] = one.red or one.outcomes[:1]
    verdict = "yes" if one.caught else f"<span class=no>no</span> {escape('; '.join(one.wrong)[:1000])}"
    head = f"<td><b>{escape(one.case.title)}</b><br>{escape(sentence_of(one.case))}<td>{rows_of(one)}<td>{verdict}"
    cells = []
    for outcome in shown:
        cells.append(
            f"<tr>{head}<td>{escape(outcome.name)}<td class={outcome.verdict.name}>{outcome.verdict}"
            f"<td>{escape(said(outcome))}</tr>"
        )
        head = "<td><td><td>"
    if not cells:
        cells.append(f"<tr>{head}<td colspan=3>{escape(one.printed)}</tr>")
    return "\n".join(cells) + _links(one, folder)


def _links(one: Judged, folder: Path) -> str:
    logs = sorted(folder.glob(f"*-{one.case.title.replace(', ', '-').replace(' ', '-')}/*/log.html"))
    links = " ".join(f'<a href="{escape(os.path.relpath(log, folder))}">log</a>' for log in logs)
    return f"<tr><td colspan=6>{links}</tr>" if links else ""
