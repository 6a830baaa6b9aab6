"""The matrix of detection as a document and as a page: defect by test, verdict, and the first line of the message."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from emulator.decisions import all_defects
from testplan.results import Outcome
from testplan.suites import PlannedTest
from tests.detection.judging import Judged, sentence_of

HEAD = """# What the suites catch

Each defect is one thing that a real product, node, guest or lab could do wrong, and that the embedded cluster does
when it is told to. A defect counts as caught when the tests of its requirement turn red with a message that names the
object, what was expected and what was seen, and when no other test does, an unrelated control suite included. A fault
of the lab must end in an ERROR with its name, or in an undisturbed pass; it must never fail the product. This page is
written by

<!-- skip: it takes half an hour -->
```console
$ .venv/bin/python -m tests.detection --processes 2 --document
```

"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _rows_of(judged: Judged) -> str:
    name = judged.case.defect
    return ", ".join(all_defects()[name].rows) if name else ""


def _said(outcome: Outcome) -> str:
    return outcome.first_line[:300]


def _summary(judged: Sequence[Judged], missing: Sequence[PlannedTest]) -> str:
    wrong = sum(not one.caught for one in judged)
    names = {one.case.defect for one in judged if one.case.defect}
    return (
        f"{len(names)} defects in {len(judged)} cases: {len(judged) - wrong} came out as they must, {wrong} did not. "
        f"Tests that nothing turns red: {len(missing)}."
    )


def markdown(judged: Sequence[Judged], missing: Sequence[PlannedTest]) -> str:
    """docs/detection.md."""
    lines = [HEAD + _summary(judged, missing) + "\n"]
    for one in judged:
        case = one.case
        rows = f" ({_rows_of(one)})" if _rows_of(one) else ""
        lines.append(f"\n## {case.title}\n\n{sentence_of(case)}{rows}{' ' + case.why if case.why else ''}\n")
        if not one.caught:
            lines.append("\n**Not as it must be:** " + _cell("; ".join(one.wrong)[:600]) + "\n")
        if one.red:
            lines.append("\n| Red test | Verdict | What it says |\n|---|---|---|")
            lines += [f"| {_cell(o.name)} | {o.verdict} | {_cell(_said(o))} |" for o in one.red]
            lines.append("")
        elif one.printed:
            lines.append(f"\nThere are no results. The run says: `{one.printed}`\n")
        else:
            lines.append("\nNo test turns red.\n")
    lines += [f"\nNothing turns red: {test.source.stem}: {test.name}" for test in missing]
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"


STYLE = """body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}
td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
.FAIL{background:#fbd5d5}.ERROR{background:#fde9c9}.PASS{background:#d9f2dd}
.SKIP{background:#eee}.no{color:#b00;font-weight:bold}"""


def html(judged: Sequence[Judged], missing: Sequence[PlannedTest], seconds: float, folder: Path | None = None) -> str:
    """detection.html, with links to the logs of the runs below ``folder``."""
    rows = "\n".join(_html_rows(one, folder) for one in judged)
    lacking = "".join(f"<li>{escape(test.source.stem)}: {escape(test.name)}</li>" for test in missing)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>What the suites catch</title><style>{STYLE}</style>"
        f"<h1>What the suites catch</h1><p>{escape(_summary(judged, missing))} {seconds:.0f} s.</p><ul>{lacking}</ul>"
        f"<table><tr><th>Case<th>Rows<th>As it must<th>Test<th>Verdict<th>What it says</tr>\n{rows}\n</table></html>\n"
    )


def _html_rows(one: Judged, folder: Path | None) -> str:
    shown: Iterable[Outcome] = one.red or one.outcomes[:1]
    verdict = "yes" if one.caught else f"<span class=no>no</span> {escape('; '.join(one.wrong)[:1000])}"
    head = f"<td><b>{escape(one.case.title)}</b><br>{escape(sentence_of(one.case))}<td>{_rows_of(one)}<td>{verdict}"
    cells = []
    for outcome in shown:
        cells.append(
            f"<tr>{head}<td>{escape(outcome.name)}<td class={outcome.verdict.name}>{outcome.verdict}"
            f"<td>{escape(_said(outcome))}</tr>"
        )
        head = "<td><td><td>"
    if not cells:
        cells.append(f"<tr>{head}<td colspan=3>{escape(one.printed)}</tr>")
    return "\n".join(cells) + (_links(one, folder) if folder else "")


def _links(one: Judged, folder: Path) -> str:
    logs = sorted(folder.glob(f"*-{one.case.title.replace(', ', '-').replace(' ', '-')}/*/log.html"))
    links = " ".join(f'<a href="{escape(os.path.relpath(log, folder))}">log</a>' for log in logs)
    return f"<tr><td colspan=6>{links}</tr>" if links else ""
