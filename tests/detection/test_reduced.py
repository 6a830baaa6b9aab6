# SPDX-License-Identifier: Apache-2.0
"""A few cases, at least one of each priority and verdict, run whole; one of them beside a suite that must stay green.

``python -m tests.detection`` runs all of them, each beside its control.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.detection.judging import judge
from tests.detection.on_cluster import Drawn
from tests.detection.outcomes import NOTICED
from tests.detection.random_runs import run_all
from tests.detection.table import Case, load_table

WITH_CONTROL = "restart-required-blinks"
REDUCED = [case if case.defect == WITH_CONTROL else replace(case, control="") for case in load_table() if case.reduced]


def test_one_case_has_a_control() -> None:
    assert [case.defect for case in REDUCED if case.control] == [WITH_CONTROL]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", REDUCED, ids=lambda case: case.title.replace(", ", "-"))
def test_case_comes_out_as_the_table_says(tmp_path: Path, case: Case) -> None:
    judged = judge(case, tmp_path)
    assert judged.caught, "\n".join(judged.wrong)


@pytest.mark.timeout(300)
def test_one_thing_that_goes_wrong_is_noticed_and_not_run_again(tmp_path: Path) -> None:
    frames = {"nic": "other", "to_guest": True, "kind": "UDP", "how": "dropped"}
    drawn = [Drawn("frames UDP to the guest at other dropped", {"frames": frames}), Drawn("nothing of the kind", None)]
    ran = run_all(drawn, tmp_path, 1)
    assert [one.outcome for one in ran] == [NOTICED, "without effect"], ran[0].message
    assert "UDP" in ran[0].message
    began = (tmp_path / "001" / "output.xml").stat().st_mtime
    assert run_all(drawn, tmp_path, 1) == ran
    assert (tmp_path / "001" / "output.xml").stat().st_mtime == began
