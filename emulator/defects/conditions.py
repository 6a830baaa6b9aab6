# SPDX-License-Identifier: Apache-2.0
"""RestartRequired and MigrationRequired are set or cleared wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..controlplane.accessors import is_migratable, migration_state, networks
from ..controlplane.migration.failed_vmis import FailedVmis
from ..controlplane.migration.phases import Step, failed
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj
from ..pace import clock

_failures = FailedVmis()


def _asks_for_it(required: bool, *, vmi: Obj, **_: Any) -> bool:
    return required or vmi in _failures


FAILED_MIGRATION_NEEDS_RESTART = Defect(
    name="failed-migration-needs-restart",
    sentence="After a migration that failed the VM carries RestartRequired, though the next one completes the swap.",
    rows=("R21",),
    point="vm.restart_required",
    change=_asks_for_it,
    also=(("migration.step", _failures.note),),
)


def _never(_answer: bool, **_: Any) -> bool:
    return False


GATE_OFF_EDIT_UNNOTICED = Defect(
    name="gate-off-edit-unnoticed",
    sentence="With the gate off the edit is passed over in silence: no restart is asked for.",
    rows=("R8",),
    point="vm.restart_required",
    change=_never,
)


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


MIGRATION_REQUIRED_CLEARED_EARLY = Defect(
    name="migration-required-cleared-early",
    sentence="MigrationRequired is cleared when the migration begins; it then fails, and the VM is never moved.",
    rows=("R1", "R2", "R9"),
    point="vmi.migration_required",
    change=_early.need,
    also=(("migration.step", _early.step),),
)


def _still(need: Need, *, vmi: Obj, **_: Any) -> Need:
    return Need.IMMEDIATE if migration_state(vmi).get("completed") else need


def _but_content(candidates: list[Obj], **_: Any) -> list[Obj]:
    return [vmi for vmi in candidates if not migration_state(vmi).get("completed")]


MIGRATION_REQUIRED_STAYS = Defect(
    name="migration-required-stays",
    sentence="MigrationRequired comes back after the swap and is never cleared, though no further migration is made.",
    rows=("R1", "R2"),
    point="vmi.migration_required",
    change=_still,
    also=(("updater.candidates", _but_content),),
)


class _NetworkHidesTheRest:
    def __init__(self) -> None:
        self._booted: dict[str, list[Obj]] = {}

    def __call__(self, required: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        now = networks(vm["spec"]["template"]["spec"])
        booted = self._booted.setdefault(vmi["metadata"]["uid"], now)
        return required and now == booted


MIXED_EDIT_NEEDS_NO_RESTART = Defect(
    name="mixed-edit-needs-no-restart",
    sentence="An edit of a network and of a field that needs a restart is taken for an edit of the network alone.",
    rows=("R18",),
    point="vm.restart_required",
    change=_NetworkHidesTheRest(),
)


def _nothing(_need: Need, **_: Any) -> Need:
    return Need.NONE


REQUIRED_MIGRATION_UNSIGNALLED = Defect(
    name="required-migration-unsignalled",
    sentence="The VMI never says that it needs a migration.",
    rows=("R35",),
    point="vmi.migration_required",
    change=_nothing,
)


class _Remembered:
    """Once a restart was asked for, it is asked for ever."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def __call__(self, required: bool, *, vm: Obj, **_: Any) -> bool:
        uid = vm["metadata"]["uid"]
        if required:
            self._asked.add(uid)
        return uid in self._asked


RESTART_REQUEST_OUTLIVES_RESTART = Defect(
    name="restart-request-outlives-restart",
    sentence="RestartRequired stays on the VM although it was restarted.",
    rows=("R8",),
    point="vm.restart_required",
    change=_Remembered(),
)


SHINES = 0.3


class _Blink:
    """Shines once for each edit of a running VM's spec."""

    def __init__(self) -> None:
        self._generation: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def __call__(self, required: bool, *, vm: Obj, requeue: Callable[[float], None], **_: Any) -> bool:
        uid, generation = vm["metadata"]["uid"], vm["metadata"]["generation"]
        now = clock()
        if generation > self._generation.setdefault(uid, generation):
            self._generation[uid] = generation
            self._until[uid] = now + SHINES
        left = self._until.get(uid, now) - now
        if left <= 0:
            return required
        requeue(left)
        return True


RESTART_REQUIRED_BLINKS = Defect(
    name="restart-required-blinks",
    sentence="After the edit the VM carries RestartRequired for 300 ms, then the swap goes its normal way.",
    rows=("R3",),
    point="vm.restart_required",
    change=_Blink(),
)


def _once_migrated(required: bool, *, vmi: Obj, **_: Any) -> bool:
    return required or bool(migration_state(vmi).get("completed"))


RESTART_REQUIRED_SET_LATE = Defect(
    name="restart-required-set-late",
    sentence="RestartRequired is set only when the swap is complete.",
    rows=("R3", "R38"),
    point="vm.restart_required",
    change=_once_migrated,
)


class _Edited:
    """Knows the networks that each VMI was first seen with."""

    def __init__(self) -> None:
        self._first: dict[str, list[Obj]] = {}

    def __call__(self, required: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        first = self._first.setdefault(vmi["metadata"]["uid"], networks(vmi["spec"]))
        return required or networks(vm["spec"]["template"]["spec"]) != first


RESTART_REQUIRED_STAYS = Defect(
    name="restart-required-stays",
    sentence="The swap goes its normal way, and the VM carries RestartRequired all the same.",
    rows=("R3",),
    point="vm.restart_required",
    change=_Edited(),
)


class _Unforgiving:
    """Remembers the VMIs whose VM was edited before they could be migrated."""

    def __init__(self) -> None:
        self._edited: set[str] = set()

    def __call__(self, required: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        uid = vmi["metadata"]["uid"]
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and not is_migratable(vmi):
            self._edited.add(uid)
        return required or uid in self._edited


STARTING_VM_NEEDS_RESTART = Defect(
    name="starting-vm-needs-restart",
    sentence="An edit that is made while the VM is still starting sets RestartRequired, which stays after the swap.",
    rows=("R48",),
    point="vm.restart_required",
    change=_Unforgiving(),
)
