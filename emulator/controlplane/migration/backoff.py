"""How long an automatic migration waits after those of the same VMI that failed."""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.apiserver.objects import parse_timestamp
from emulator.controlplane import names
from emulator.controlplane.instances import Obj, annotations_of, is_final, phase

FIRST_SECONDS = 20.0


def is_automatic(migration: Obj) -> bool:
    return names.WORKLOAD_UPDATE in annotations_of(migration) or names.EVACUATION in annotations_of(migration)


def waiting_seconds(migration: Obj, others: list[Obj], speed: float) -> float:
    """Seconds of the real control plane still to wait; 0 when it may go on. ``others`` are of the same VMI."""
    if not is_automatic(migration) or names.IGNORE_BACKOFF in annotations_of(migration):
        return 0.0
    finished = [m for m in others if is_final(m) and m["metadata"]["uid"] != migration["metadata"]["uid"]]
    finished.sort(key=lambda m: m["metadata"]["creationTimestamp"], reverse=True)
    failures = 0
    last: datetime | None = None
    for other in finished:
        if phase(other) == "Succeeded":
            break
        if is_automatic(other):
            failures += 1
            last = last or failed_at(other)
    if last is None:
        return 0.0
    past = (datetime.now(UTC) - last).total_seconds() * speed
    return max(0.0, FIRST_SECONDS * 2.0 ** (failures - 1) - past)


def failed_at(migration: Obj) -> datetime:
    """When it entered Failed; its creation where that was not noted."""
    for entry in reversed(migration["status"].get("phaseTransitionTimestamps") or []):
        if entry["phase"] == "Failed":
            return parse_timestamp(entry["phaseTransitionTimestamp"])
    return parse_timestamp(migration["metadata"]["creationTimestamp"])
