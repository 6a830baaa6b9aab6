# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _broken(_reason: str, **_: Any) -> str:
    return "internal error: client socket is closed"


DEFECT = Defect(
    name="migration-always-fails",
    sentence="Every live migration fails at the end of its copy.",
    rows=("R1", "R2", "R4", "R9", "R21"),
    point="agent.migration_failure",
    change=_broken,
)
