# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import annotations_of
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


def _of_an_edited_vm(need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
    edited = annotations_of(vmi).get(names.VM_GENERATION, "1") != "1"
    return Need.IMMEDIATE if edited and names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) else need


DEFECT = Defect(
    name="stopped-edit-leaves-migration",
    sentence="A VM that was edited while it was stopped is migrated after its start, though it is on its network.",
    rows=("R41",),
    point="vmi.migration_required",
    change=_of_an_edited_vm,
)
