from __future__ import annotations

from typing import Any

from ..controlplane.migration.phases import Step
from ..decisions import Defect
from ..kube.client import Obj


class _GivesUp:
    """Knows the VMIs of which a migration has failed."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def note(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        if step is not None and step.phase == "Failed" and vmi is not None:
            self._failed.add(vmi["metadata"]["uid"])
        return step

    def candidates(self, candidates: list[Obj], **_: Any) -> list[Obj]:
        return [vmi for vmi in candidates if vmi["metadata"]["uid"] not in self._failed]


_gives_up = _GivesUp()

DEFECT = Defect(
    name="failed-migration-not-retried",
    sentence="After a migration that failed the workload updater makes no other one for that VM.",
    rows=("R21",),
    point="updater.candidates",
    change=_gives_up.candidates,
    also=(("migration.step", _gives_up.note),),
)
