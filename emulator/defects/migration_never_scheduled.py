# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.migration.phases import Step
from ..fault_points import Defect


def _never(step: Step | None, **_: Any) -> Step | None:
    return None if step is not None and step.phase == "Scheduled" else step


DEFECT = Defect(
    name="migration-never-scheduled",
    sentence="The migration for the edit is made, and stays in phase Scheduling for good.",
    rows=("R1", "R2", "R9", "R34", "R36"),
    point="migration.step",
    change=_never,
)
