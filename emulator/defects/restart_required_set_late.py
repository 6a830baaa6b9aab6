# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import migration_state
from ..fault_points import Defect
from ..kube.client import Obj


def _once_migrated(required: bool, *, vmi: Obj, **_: Any) -> bool:
    return required or bool(migration_state(vmi).get("completed"))


DEFECT = Defect(
    name="restart-required-set-late",
    sentence="RestartRequired is set only when the swap is complete.",
    rows=("R3", "R38"),
    point="vm.restart_required",
    change=_once_migrated,
)
