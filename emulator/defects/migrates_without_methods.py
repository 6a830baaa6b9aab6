# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _migrate_anyway(_methods: list[str], **_: Any) -> list[str]:
    return ["LiveMigrate"]


DEFECT = Defect(
    name="migrates-without-methods",
    sentence="The cluster migrates a VM by itself although its workloadUpdateMethods are empty.",
    rows=("R35",),
    point="updater.methods",
    change=_migrate_anyway,
)
