# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.migration.phases import Step
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


class _Pretender:
    """Calls a migration succeeded once its target pod is there, and the VM's need for it met."""

    def __init__(self) -> None:
        self._met: set[str] = set()

    def step(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        if step is None or vmi is None or step.phase != "Scheduled":
            return step
        self._met.add(vmi["metadata"]["uid"])
        return Step("Succeeded", ("Normal", "SuccessfulMigration", "Source node reported migration succeeded"))

    def need(self, need: Need, *, vmi: Obj, **_: Any) -> Need:
        return Need.NONE if vmi["metadata"]["uid"] in self._met else need


_pretender = _Pretender()


DEFECT = Defect(
    name="migration-succeeds-in-place",
    sentence="The migration is called Succeeded although the VM never left its node.",
    rows=("R1", "R2", "R9"),
    point="vmi.migration_required",
    change=_pretender.need,
    also=(("migration.step", _pretender.step),),
)
