from __future__ import annotations

from typing import Any

from ..controlplane.migration.phases import Step
from ..controlplane.network.evaluator import Need
from ..decisions import Defect
from ..kube.client import Obj


class _Forgetful:
    """Knows the VMIs of which a migration has failed."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def note(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        if step is not None and step.phase == "Failed" and vmi is not None:
            self._failed.add(vmi["metadata"]["uid"])
        return step

    def need(self, need: Need, *, vmi: Obj, **_: Any) -> Need:
        return Need.NONE if vmi["metadata"]["uid"] in self._failed else need


_forgetful = _Forgetful()

DEFECT = Defect(
    name="failed-migration-forgotten",
    sentence="A migration that fails takes MigrationRequired with it: the edit is not in effect and nobody says so.",
    rows=("R21",),
    point="vmi.migration_required",
    change=_forgetful.need,
    also=(("migration.step", _forgetful.note),),
)
