"""Faults after which there are no verdicts to compare with the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.faults import full_disk
from tests.embedded import SUITES


@pytest.mark.timeout(240)
def test_run_whose_results_do_not_fit_proves_nothing(tmp_path: Path) -> None:
    run = full_disk(tmp_path, ("--suite", "stage_rollout", "--variable", "ALLOW_DISRUPTIVE:yes"), (), SUITES)
    assert (tmp_path / "output.xml").stat().st_size
    assert run.judgement.exit is Exit.NOT_PROVEN
    assert "no usable result file" in str(run.judgement)
