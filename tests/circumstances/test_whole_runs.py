# SPDX-License-Identifier: Apache-2.0
"""Circumstances on whole runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from testplan.gate import Word
from testplan.results import Verdict
from tests.embedded import ROOT, SUITES, run_robot


@pytest.mark.nightly
@pytest.mark.timeout(400)
@pytest.mark.circumstance(
    "a quota that is set just before the edit stops only the target of the migration",
    topic="rules",
    sees="it cannot be judged ... exceeded quota: compute ... A live migration needs room for a second launcher pod",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/kubevirt/issues/9238",
)
def test_quota_that_stops_only_the_target(tmp_path: Path, sees: Callable[[object], None]) -> None:
    run = run_robot(
        tmp_path,
        *("--listener", "tests.circumstances.target_quota", "--pythonpath", str(ROOT)),
        *("--variable", "SWAP_TIMEOUT:20 s"),
        cluster=(),
        suites=SUITES / "p0",
        timeout=380,
    )
    found = {name: outcome.verdict for name, outcome in run.outcomes.items()}
    assert set(found.values()) == {Verdict.LAB_ERROR, Verdict.PASS}, found
    assert run.judgement.word is Word.LAB_ERROR
    told = {name: outcome.message for name, outcome in run.outcomes.items() if outcome.verdict is Verdict.LAB_ERROR}
    assert len(told) > 5
    # What is unchanged may be so since nothing has happened: that is all that this one says.
    told.pop("Guest Keeps Its Interface")
    for message in told.values():
        sees(message)
