# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.migration.phases import Step
from ..fault_points import Defect
from ..pace import clock

_QUEUED_SECONDS = 1.5
_pending_since: dict[str, float] = {}


def _forget(step: Step | None, *, migration: dict[str, Any], **_: Any) -> Step | None:
    if migration.get("status", {}).get("phase") != "Pending":
        return step
    now = clock()
    since = _pending_since.setdefault(migration["metadata"]["uid"], now)
    forgotten = step is not None and step.phase == "Scheduling" and now - since > _QUEUED_SECONDS
    return None if forgotten else step


DEFECT = Defect(
    name="queued-migration-forgotten",
    sentence="A migration that had to wait for the cluster's limits stays in phase Pending for good.",
    rows=("R32",),
    point="migration.step",
    change=_forget,
)
