# SPDX-License-Identifier: Apache-2.0
"""The cluster's limits for migrations that run in parallel, in all and away from one node."""

from __future__ import annotations

from collections import Counter

from emulator.apiserver.store import Event
from emulator.controlplane import names
from emulator.controlplane.accessors import labels_of, migration_state, phase

from .violations import Violation
from .world import World

UNDER_WAY = ("Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running")
# KubeVirt's own, which hold where a cluster's configuration does not say otherwise.
IN_ALL, FROM_A_NODE = 5, 2


class Limits:
    """Looks at each commit of a migration or a pod; ``violation`` is the first one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violation: Violation | None = None
        if world.batch.limits:
            world.server.core.store.listeners.append(self._note)

    def _note(self, event: Event) -> None:
        if event.bucket not in (names.MIGRATION, names.PODS) or self.violation:
            return
        targets = {labels_of(pod).get(names.MIGRATION_JOB_UID) for pod in self.world.all(names.PODS)}
        from_nodes: Counter[str] = Counter()
        count = 0
        for migration in self.world.all(names.MIGRATION):
            has_pod = phase(migration) == "Pending" and migration["metadata"]["uid"] in targets
            if phase(migration) in UNDER_WAY or has_pod:
                count += 1
                vmi = self.world.find(names.VMI, migration["metadata"]["namespace"], migration["spec"]["vmiName"])
                if vmi and not migration_state(vmi).get("endTimestamp"):
                    from_nodes[vmi["status"].get("nodeName", "")] += 1
        node, most = next(iter(from_nodes.most_common(1)), ("", 0))
        if count > IN_ALL or most > FROM_A_NODE:
            seen = f"{count} in all, {most} away from {node}"
            self.violation = Violation("more migrations in parallel than the cluster allows", seen)
