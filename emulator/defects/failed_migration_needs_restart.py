# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.migration.failed_vmis import FailedVmis
from ..fault_points import Defect
from ..kube.client import Obj

_failures = FailedVmis()


def _asks_for_it(required: bool, *, vmi: Obj, **_: Any) -> bool:
    return required or vmi in _failures


DEFECT = Defect(
    name="failed-migration-needs-restart",
    sentence="After a migration that failed the VM carries RestartRequired, though the next one completes the swap.",
    rows=("R21",),
    point="vm.restart_required",
    change=_asks_for_it,
    also=(("migration.step", _failures.note),),
)
