# SPDX-License-Identifier: Apache-2.0
"""Many changes in parallel: when each VM's migration was made, ran and ended, and how many ran in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from livenad.api.history import History
from livenad.api.kinds import MIGRATION, dig, meta
from livenad.api.status import phase_of
from livenad.changes import NetworkChange
from livenad.cluster.facts import KubeVirtFacts
from livenad.foreign_migrations import decided_at
from livenad.network_change.completion import completed_at, five_facts, is_complete, the_migration

_WAITING = ("", "Pending")
_ENDED = ("Succeeded", "Failed")
# KubeVirt's defaults.
_LIMITS = {"parallelMigrationsPerCluster": 5, "parallelOutboundMigrationsPerNode": 2}


@dataclass(frozen=True)
class QueuedMigration:
    """One VM's change, in seconds after the first edit of all; None for what was not seen.

    ``begun`` is when its migration left the queue (phase Pending), ``ended`` when it reached a final phase, and
    ``complete`` when the last of the five facts of a change came true.
    """

    vm: str
    edited: float
    made: float | None
    begun: float | None
    ended: float | None
    complete: float | None

    @property
    def seconds(self) -> float | None:
        """From this VM's edit until its change was complete."""
        return None if self.complete is None else self.complete - self.edited

    def as_data(self) -> dict[str, Any]:
        """For a file; seconds with three digits."""
        values = {name: getattr(self, name) for name in ("edited", "made", "begun", "ended", "complete")}
        return {"vm": self.vm, **{name: None if at is None else round(at, 3) for name, at in values.items()}}


@dataclass(frozen=True)
class Spread:
    """The spread of the durations of all complete changes, in seconds."""

    fewest: float
    middle: float
    ninth: float
    most: float


def queued_migrations(history: History, changes: Sequence[NetworkChange]) -> list[QueuedMigration]:
    """One for each change, in the order given. ValueError for none at all."""
    zero = min(change.at for change in changes)
    return [_queued(history, change, zero) for change in changes]


def most_at_once(queue: Sequence[QueuedMigration]) -> int:
    """The maximum number of migrations that had left the queue and not ended."""
    begun = [(one.begun, one.ended) for one in queue if one.begun is not None]
    return max((sum(b <= at and (e is None or at < e) for b, e in begun) for at, _ in begun), default=0)


def spread(queue: Sequence[QueuedMigration]) -> Spread | None:
    """The spread; None when no change is complete. ``ninth`` is the 90th percentile."""
    seconds = sorted(one.seconds for one in queue if one.seconds is not None)
    if not seconds:
        return None
    return Spread(seconds[0], median(seconds), seconds[max(0, -(-len(seconds) * 9 // 10) - 1)], seconds[-1])


def limits_text(kubevirt: KubeVirtFacts | None) -> str:
    """The cluster's limits on parallel migrations, from the KubeVirt resource or its defaults."""
    if kubevirt is None or not kubevirt.source:
        return "limits unknown: the KubeVirt resource may not be read"
    given = dig(kubevirt.source, "spec", "configuration", "migrations") or {}
    per_cluster, per_node = (
        f"{given.get(name, default)}{'' if name in given else ' by default'}" for name, default in _LIMITS.items()
    )
    return f"at most {per_cluster} in the cluster and {per_node} away from a node"


def _queued(history: History, change: NetworkChange, zero: float) -> QueuedMigration:
    migration = the_migration(history, change)
    made = begun = ended = None
    if migration is not None:
        uid = meta(migration, "uid")
        for record in history.records(MIGRATION, meta(migration, "name")):
            if record.uid != uid:
                continue
            phase = phase_of(record.object)
            made = record.at if made is None else made
            if begun is None and phase not in _WAITING:
                begun = record.at
            if ended is None and phase in _ENDED:
                ended = record.at
    known = decided_at(history, change, lambda part: is_complete(part, change)) or history
    complete = completed_at(five_facts(known, change))

    def after(at: float | None) -> float | None:
        return None if at is None else max(0.0, at - zero)

    return QueuedMigration(change.vm, change.at - zero, after(made), after(begun), after(ended), after(complete))
