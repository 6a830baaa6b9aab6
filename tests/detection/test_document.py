# SPDX-License-Identifier: Apache-2.0
"""What was not run now stays in the document; what was run replaces what stood there."""

from __future__ import annotations

from pathlib import Path

from testplan.results import Outcome, Verdict
from tests.detection.document import sections, write
from tests.detection.judging import Judged
from tests.detection.table import Case

EARLIER = Case("edit-ignored", "stopped_vm", Verdict.FAIL, {"Red One": ()})
LATER = Case("api-throttles", "stopped_vm", Verdict.PASS)
GONE = Case("", "stopped_vm", Verdict.PASS, unnamed="no longer in the table")
FULL = Case("", "stopped_vm", Verdict.LAB_ERROR, lab="full-disk", printed="no room")


def red(message: str) -> Outcome:
    return Outcome("Red One", "s", "s1", Verdict.FAIL, message, 0.0, (), {})


def test_a_part_of_the_table_brings_its_part_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "detection.md"
    table = [EARLIER, LATER, FULL]
    write(path, [Judged(EARLIER, [red("VM a|b: expected c, is <d>")]), Judged(GONE)], [*table, GONE], [])
    assert "2 cases, 0 faults of the lab among them: 2 had the expected" in path.read_text()
    assert "Cases that were never run: 2." in path.read_text()
    write(path, [Judged(LATER, wrong=["stayed green"]), Judged(FULL, printed="no room")], table, [])
    text = path.read_text()
    assert list(sections(text)) == [case.title for case in table]
    assert "2 defects in 3 cases, 2 faults of the lab among them: 2 had the expected result, 1 did not." in text
    assert "| Red One | FAIL | VM a\\|b: expected c, is <d> |" in text
    assert "The run says: `no room`" in text
    assert "**Not as it must be:** stayed green" in text
    page = path.with_suffix(".html").read_text()
    assert "<td class=FAIL>FAIL<td>VM a|b: expected c, is &lt;d&gt;</tr>" in page
    assert page.count("<tr>") == 1 + 3


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "detection.md"
    for message in ("first", "second"):
        write(path, [Judged(EARLIER, [red(message)])], [EARLIER], [])
    assert "first" not in path.read_text()
    assert path.read_text().count("## edit-ignored, stopped_vm") == 1
