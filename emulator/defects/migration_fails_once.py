# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj


class _FirstOne:
    """Knows the VMIs that have had their failure."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def __call__(self, reason: str, *, vmi: Obj, **_: Any) -> str:
        uid = vmi["metadata"]["uid"]
        if uid in self._failed:
            return reason
        self._failed.add(uid)
        return "internal error: client socket is closed"


DEFECT = Defect(
    name="migration-fails-once",
    sentence="The first live migration of each VM fails without a reason; the next one works.",
    rows=("R2", "R4"),
    point="agent.migration_failure",
    change=_FirstOne(),
)
