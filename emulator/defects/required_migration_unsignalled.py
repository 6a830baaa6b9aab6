# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.network.evaluator import Need
from ..fault_points import Defect


def _nothing(_need: Need, **_: Any) -> Need:
    return Need.NONE


DEFECT = Defect(
    name="required-migration-unsignalled",
    sentence="The VMI never says that it needs a migration.",
    rows=("R35",),
    point="vmi.migration_required",
    change=_nothing,
)
