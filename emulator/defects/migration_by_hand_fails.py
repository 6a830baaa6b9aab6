# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import annotations_of
from ..controlplane.migration.phases import Step, failed
from ..fault_points import Defect
from ..kube.client import Obj


def _only_the_updaters(step: Step | None, *, migration: Obj, **_: Any) -> Step | None:
    asked = names.WORKLOAD_UPDATE not in annotations_of(migration)
    return failed("Migration refused") if asked and step is not None and step.phase == "Scheduling" else step


DEFECT = Defect(
    name="migration-by-hand-fails",
    sentence="Only the migrations that the cluster makes by itself work; those that an administrator asks for fail.",
    rows=("R4", "R10"),
    point="migration.step",
    change=_only_the_updaters,
)
