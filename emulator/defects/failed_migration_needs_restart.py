from __future__ import annotations

from typing import Any

from ..controlplane.migration.phases import Step
from ..decisions import Defect
from ..kube.client import Obj


class _AsksForRestart:
    """Knows the VMIs of which a migration has failed."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def note(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        if step is not None and step.phase == "Failed" and vmi is not None:
            self._failed.add(vmi["metadata"]["uid"])
        return step

    def required(self, required: bool, *, vmi: Obj, **_: Any) -> bool:
        return required or vmi["metadata"]["uid"] in self._failed


_asks = _AsksForRestart()

DEFECT = Defect(
    name="failed-migration-needs-restart",
    sentence="After a migration that failed the VM carries RestartRequired, though the next one completes the swap.",
    rows=("R21",),
    point="vm.restart_required",
    change=_asks.required,
    also=(("migration.step", _asks.note),),
)
