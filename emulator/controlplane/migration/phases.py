"""The phases of a migration object, decided from what the VMI and the pods say. Nothing here writes anything."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.controlplane import conditions, names
from emulator.controlplane.instances import (
    Obj,
    containers_ready,
    is_deleting,
    is_final,
    migration_state,
    phase,
    pod_is_down,
)

BEFORE_HAND_OFF = ("", "Pending", "Scheduling", "Scheduled")
HANDED_OFF = ("PreparingTarget", "TargetReady", "Running")
WITH_TARGET_POD = ("Scheduling", "Scheduled", *HANDED_OFF)
# Phases that take one of the cluster's slots for migrations.
RUNNING = ("Scheduling", "Scheduled", *HANDED_OFF)


@dataclass(frozen=True)
class Step:
    """The next phase, and the event on the migration object that goes with it: (type, reason, message)."""

    phase: str
    event: tuple[str, str, str] | None = None
    aborted: bool = False


def failed(message: str, *, aborted: bool = False) -> Step:
    return Step("Failed", ("Warning", "FailedMigration", message), aborted)


def next_step(migration: Obj, vmi: Obj | None, target: Obj | None, *, other_active: bool) -> Step | None:
    """None while there is nothing to do but wait. ``other_active``: another migration of this VMI is under way."""
    current = phase(migration)
    if vmi is None:
        return failed("Migration failed because vmi does not exist.")
    if is_final(vmi):
        return failed("Migration failed vmi shutdown during migration.")
    state = migration_state(vmi)
    ours = state.get("migrationUid") == migration["metadata"]["uid"]
    if is_deleting(migration) and current in BEFORE_HAND_OFF and not ours:
        return failed("Migration failed due to being canceled", aborted=True)
    if target is not None and pod_is_down(target) and not state.get("completed"):
        return failed("Migration failed because target pod shutdown during migration")
    if target is None and current in WITH_TARGET_POD:
        return failed("Migration target pod was removed during active migration.")
    if current in HANDED_OFF:
        if not state:
            return failed("VMI's migration state was cleared during the active migration.")
        if not ours:
            return failed("VMI's migration state was taken over by another migration job during active migration.")
        if state.get("failed"):
            return failed("source node reported migration failed")
    return _forward(current, vmi, target, state, ours, other_active)


def _forward(current: str, vmi: Obj, target: Obj | None, state: Obj, ours: bool, other_active: bool) -> Step | None:
    if current == "":
        if other_active:
            return failed("VMI is not eligible for migration because another migration job is in progress.")
        return Step("Pending")
    if current == "Pending" and target is not None:
        return Step("Scheduling")
    if current == "Scheduling" and target is not None and containers_ready(target):
        return Step("Scheduled")
    if current == "Scheduled" and ours and state.get("targetNode"):
        return Step("PreparingTarget")
    if current == "PreparingTarget" and state.get("targetNodeAddress"):
        return Step("TargetReady")
    if current == "TargetReady" and state.get("startTimestamp"):
        return Step("Running")
    # A VMI that already asks for the next migration keeps this one from ever being called succeeded.
    if current == "Running" and state.get("completed") and not conditions.is_true(vmi, names.MIGRATION_REQUIRED):
        return Step("Succeeded", ("Normal", "SuccessfulMigration", "Source node reported migration succeeded"))
    return None
