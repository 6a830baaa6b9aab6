# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.migration.failed_vmis import FailedVmis
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj

_failures = FailedVmis()


def _forgets(need: Need, *, vmi: Obj, **_: Any) -> Need:
    return Need.NONE if vmi in _failures else need


DEFECT = Defect(
    name="failed-migration-forgotten",
    sentence="A migration that fails takes MigrationRequired with it: the edit is not in effect and no condition says "
    "so.",
    rows=("R21",),
    point="vmi.migration_required",
    change=_forgets,
    also=(("migration.step", _failures.note),),
)
