# SPDX-License-Identifier: Apache-2.0
"""Back-off of automatic migrations after failed ones of the same VMI."""

from __future__ import annotations

from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, annotations_of, is_final, phase
from emulator.controlplane.elapsed_times import ElapsedTimes

FIRST_SECONDS = 20.0


def is_automatic(migration: Obj) -> bool:
    return names.WORKLOAD_UPDATE in annotations_of(migration) or names.EVACUATION in annotations_of(migration)


def waiting_seconds(migration: Obj, others: list[Obj], elapsed_times: ElapsedTimes) -> float:
    """Seconds of the real control plane still to wait; 0 when it may go on. ``others`` are of the same VMI."""
    if not is_automatic(migration) or names.IGNORE_BACKOFF in annotations_of(migration):
        return 0.0
    finished = [m for m in others if is_final(m) and m["metadata"]["uid"] != migration["metadata"]["uid"]]
    finished.sort(key=lambda m: m["metadata"]["creationTimestamp"], reverse=True)
    failures = 0
    past = 0.0
    for other in finished:
        if phase(other) == "Succeeded":
            break
        if is_automatic(other):
            failures += 1
            past = past or elapsed_times.since(failure_key(other), failed_at(other))
    if not failures:
        return 0.0
    return max(0.0, FIRST_SECONDS * 2.0 ** (failures - 1) - past)


def failure_key(migration: Obj) -> str:
    return f"failed {migration['metadata']['uid']}"


def failed_at(migration: Obj) -> str:
    """When it entered Failed; its creation if that is not recorded."""
    for entry in reversed(migration["status"].get("phaseTransitionTimestamps") or []):
        if entry["phase"] == "Failed":
            return str(entry["phaseTransitionTimestamp"])
    return str(migration["metadata"]["creationTimestamp"])
