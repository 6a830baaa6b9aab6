# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import migration_state
from ..controlplane.migration.phases import Step, failed
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


class _TooEarly:
    """Takes a VM's need for met as soon as its migration is scheduled; and then that one fails."""

    def __init__(self) -> None:
        self._met: set[str] = set()

    def step(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        if step is None or vmi is None or step.phase != "Scheduled" or migration_state(vmi).get("completed"):
            return step
        self._met.add(vmi["metadata"]["uid"])
        return failed("Migration failed because target pod shutdown during migration")

    def need(self, need: Need, *, vmi: Obj, **_: Any) -> Need:
        return Need.NONE if vmi["metadata"]["uid"] in self._met else need


_early = _TooEarly()


DEFECT = Defect(
    name="migration-required-cleared-early",
    sentence="MigrationRequired is cleared when the migration begins; it then fails, and the VM is never moved.",
    rows=("R1", "R2", "R9"),
    point="vmi.migration_required",
    change=_early.need,
    also=(("migration.step", _early.step),),
)
