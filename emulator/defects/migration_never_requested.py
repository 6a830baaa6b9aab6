# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _nobody(_candidates: list[Any], **_: Any) -> list[Any]:
    return []


DEFECT = Defect(
    name="migration-never-requested",
    sentence="The edit is taken over and signalled, but the workload updater never creates a migration.",
    rows=("R1", "R2", "R9"),
    point="updater.candidates",
    change=_nobody,
)
