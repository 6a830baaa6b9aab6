# SPDX-License-Identifier: Apache-2.0
"""The worst combinations of fault and suite, half of them each night. ``python -m tests.faults`` runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.results import Verdict
from tests.faults.runs import run_behind

WORST = [
    ("answers-lost", "restart_after_swap"),
    ("everything", "vm_owner_limits"),
]
AT_NIGHT = [
    ("writes-refused", "hot_plug"),
    ("gone", "missing_nad"),
    ("answers-lost", "hot_plug"),
    ("answers-replaced", "stopped_vm"),
    ("writes-refused", "migration_after_swap"),
    ("answers-lost", "migration_after_swap"),
    ("token-expires", "vm_owner"),
    ("conflicts", "edits_that_move_nothing"),
    ("conflicts", "eviction_during_swap"),
    ("conflicts", "vm_still_starting"),
    ("half-read", "vm_owner_limits"),
    ("watches-stall", "eviction_during_swap"),
    ("watches-stall", "stage_rollout"),
    ("watches-cut", "stopped_vm"),
    ("versions-repeat", "vm_that_cannot_migrate"),
]

ASKED = {
    "restart_after_swap": {"PUT namespaces virtualmachines restart", "PATCH namespaces virtualmachines networkName"},
    "migration_after_swap": {"PUT namespaces virtualmachines migrate", "PATCH namespaces virtualmachines networkName"},
    "hot_plug": {f"PATCH namespaces virtualmachines {field}" for field in ("interfaces", "state")},
}
"""The writes by which a suite does what it is about: none of them may go by undisturbed."""


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("fault", "suite"),
    [
        *(pytest.param(*pair, id="--".join(pair)) for pair in WORST),
        *(pytest.param(*pair, id="--".join(pair), marks=pytest.mark.nightly) for pair in AT_NIGHT),
    ],
)
def test_suite_keeps_its_verdict(tmp_path: Path, fault: str, suite: str) -> None:
    """Undisturbed, all of these tests pass."""
    behind = run_behind(fault, tmp_path, [suite])
    assert behind.outcomes.keys() == {suite}
    assert {o.name: o.message for o in behind.outcomes[suite] if o.verdict is not Verdict.PASS} == {}
    assert behind.repeated == []
    if fault in ("answers-lost", "writes-refused"):
        met = behind.lost if fault == "answers-lost" else behind.refused
        assert ASKED[suite] <= met
        assert {"POST", "PATCH", "DELETE"} <= {sort.split()[0] for sort in met}
