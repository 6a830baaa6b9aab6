# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import migration_state
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


def _still(need: Need, *, vmi: Obj, **_: Any) -> Need:
    return Need.IMMEDIATE if migration_state(vmi).get("completed") else need


def _but_content(candidates: list[Obj], **_: Any) -> list[Obj]:
    return [vmi for vmi in candidates if not migration_state(vmi).get("completed")]


DEFECT = Defect(
    name="migration-required-stays",
    sentence="MigrationRequired comes back after the swap and is never cleared, though no further migration is made.",
    rows=("R1", "R2"),
    point="vmi.migration_required",
    change=_still,
    also=(("updater.candidates", _but_content),),
)
