# SPDX-License-Identifier: Apache-2.0
"""The phases of a migration object, decided from the VMI and the pods. Pure functions: nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.controlplane import names
from emulator.controlplane.accessors import (
    Obj,
    containers_ready,
    is_deleting,
    is_final,
    migration_state,
    phase,
    pod_is_down,
)
from emulator.kube import conditions

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
    """The next step; None while the migration has to wait. ``other_active``: the VMI has another active migration."""
    current = phase(migration)
    state = migration_state(vmi or {})
    ours = state.get("migrationUid") == migration["metadata"]["uid"]
    if vmi is not None and is_deleting(migration) and current in BEFORE_HAND_OFF and not ours and not is_final(vmi):
        return failed("Migration failed due to being canceled", aborted=True)
    why = _failure(current, vmi, target, state, ours=ours)
    if why or vmi is None:
        return failed(why)
    if current == "" and other_active:
        return failed("VMI is not eligible for migration because another migration job is in progress.")
    reached = _forward(current, vmi, target, state if ours else {})
    if reached == "Succeeded":
        return Step(reached, ("Normal", "SuccessfulMigration", "Source node reported migration succeeded"))
    return Step(reached) if reached else None


def _failure(current: str, vmi: Obj | None, target: Obj | None, state: Obj, *, ours: bool) -> str:
    """The controller's message if the migration fails now; "" if not. The first matching reason counts."""
    active = current in HANDED_OFF
    taken = "VMI's migration state was taken over by another migration job during active migration."
    checks = (
        (vmi is None, "Migration failed because vmi does not exist."),
        (vmi is not None and is_final(vmi), "Migration failed vmi shutdown during migration."),
        (
            target is not None and pod_is_down(target) and not state.get("completed"),
            "Migration failed because target pod shutdown during migration",
        ),
        (
            target is None and current in WITH_TARGET_POD,
            "Migration target pod was removed during active migration.",
        ),
        (active and not state, "VMI's migration state was cleared during the active migration."),
        (active and not ours, taken),
        (active and bool(state.get("failed")), "source node reported migration failed"),
    )
    return next((message for holds, message in checks if holds), "")


def _forward(current: str, vmi: Obj, target: Obj | None, state: Obj) -> str:
    """The next phase, or "". ``state`` is the VMI's migration state if it is about this migration."""
    # A VMI that already requires the next migration keeps this one from succeeding.
    done = state.get("completed") and not conditions.is_true(vmi, names.MIGRATION_REQUIRED)
    steps = {
        "": ("Pending", True),
        "Pending": ("Scheduling", target is not None),
        "Scheduling": ("Scheduled", target is not None and containers_ready(target)),
        "Scheduled": ("PreparingTarget", state.get("targetNode")),
        "PreparingTarget": ("TargetReady", state.get("targetNodeAddress")),
        "TargetReady": ("Running", state.get("startTimestamp")),
        "Running": ("Succeeded", done),
    }
    following, reached = steps[current]
    return following if reached else ""
