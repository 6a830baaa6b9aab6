# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import migration_state
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


def _again(need: Need, *, vmi: Obj, **_: Any) -> Need:
    return Need.IMMEDIATE if migration_state(vmi) else need


DEFECT = Defect(
    name="migrates-for-ever",
    sentence="A VM that was migrated for an edit asks for one migration after the other, without end.",
    rows=("R2",),
    point="vmi.migration_required",
    change=_again,
)
