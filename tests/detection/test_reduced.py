# SPDX-License-Identifier: Apache-2.0
"""A few cases, at least one of each priority and verdict, run whole. ``python -m tests.detection`` runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.detection.judging import judge
from tests.detection.table import Case, load_table

REDUCED = [case for case in load_table() if case.reduced]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", REDUCED, ids=lambda case: case.title.replace(", ", "-"))
def test_case_comes_out_as_the_table_says(tmp_path: Path, case: Case) -> None:
    judged = judge(case, tmp_path)
    assert judged.caught, "\n".join(judged.wrong)
