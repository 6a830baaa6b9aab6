# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj
from ..kube.conditions import is_true

_said: set[str] = set()


def _said_once(need: Need, *, vmi: Obj, **_: Any) -> Need:
    if is_migratable(vmi):
        return need
    if is_true(vmi, "MigrationRequired"):
        _said.add(vmi["metadata"]["uid"])
    return Need.NONE if vmi["metadata"]["uid"] in _said else need


DEFECT = Defect(
    name="non-migratable-vm-pretended",
    sentence="MigrationRequired of a VM that cannot be live-migrated goes away as if the VM had been moved.",
    rows=("R15",),
    point="vmi.migration_required",
    change=_said_once,
)
