# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable
from ..fault_points import Defect
from ..kube.client import Obj


def _only_if_migratable(answer: bool, *, vmi: Obj, **_: Any) -> bool:
    return answer and is_migratable(vmi)


DEFECT = Defect(
    name="non-migratable-vm-edit-unnoticed",
    sentence="The edit of a VM that cannot be live-migrated is passed over in silence: no condition says that it is "
    "not in effect.",
    rows=("R15",),
    point="vm.copy_nad",
    change=_only_if_migratable,
    also=(("vm.restart_required", _only_if_migratable),),
)
