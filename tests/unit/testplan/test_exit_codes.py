# SPDX-License-Identifier: Apache-2.0
"""The exit codes are one table: what the gate gives, and what README, `run.sh --help` and the gate's own help say."""

from __future__ import annotations

import re

import pytest

from testplan.__main__ import GATE_CODES
from testplan.gate import Exit, Judgement, Word
from testplan.plan import HERE

ROOT = HERE.parent
ROW = re.compile(r"^\| (\d+) \| ([A-Z ]*?) ?\| .+ \|$", re.MULTILINE)
OF_THE_START = {"64", "70"}


def test_the_table_of_the_readme_has_each_verdict_with_its_code() -> None:
    rows = ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    given = {(str(int(Judgement(word, "").exit)), str(word)) for word in Word if word is not Word.INTERRUPTED}
    assert {(code, word) for code, word in rows if word} == given
    assert {code for code, _ in rows} == {str(int(code)) for code in Exit} | OF_THE_START


@pytest.mark.parametrize("word", [word for word in Word if word not in {Word.INTERRUPTED, Word.FAIL, Word.NOT_PROVEN}])
def test_both_helps_name_what_the_codes_alone_do_not_tell(word: Word) -> None:
    assert word in GATE_CODES
    assert word in (ROOT / "run.sh").read_text(encoding="utf-8")
