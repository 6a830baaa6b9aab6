# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.migration.failed_vmis import FailedVmis
from ..fault_points import Defect
from ..kube.client import Obj

_failures = FailedVmis()


def _gives_up(candidates: list[Obj], **_: Any) -> list[Obj]:
    return [vmi for vmi in candidates if vmi not in _failures]


DEFECT = Defect(
    name="failed-migration-not-retried",
    sentence="After a migration that failed the workload updater makes no other one for that VM.",
    rows=("R21",),
    point="updater.candidates",
    change=_gives_up,
    also=(("migration.step", _failures.note),),
)
