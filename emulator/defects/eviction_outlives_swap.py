# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import migration_state
from ..fault_points import Defect
from ..kube.client import Obj


class _OnceMore:
    """Knows the migration during which each VMI was evicted first."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, mark: str, *, vmi: Obj, node: str, **_: Any) -> str:
        if not vmi["status"].get("evacuationNodeName"):
            return mark
        migration = migration_state(vmi)["migrationUid"]
        return node if self._first.setdefault(vmi["metadata"]["uid"], migration) == migration else mark


DEFECT = Defect(
    name="eviction-outlives-swap",
    sentence="The migration for an edit does not serve an eviction that comes meanwhile: the VM is then evacuated "
    "once more, from the node that it was migrated to.",
    rows=("R49",),
    point="agent.evacuation_mark",
    change=_OnceMore(),
)
