# SPDX-License-Identifier: Apache-2.0
"""The target pod of a migration: creates it, monitors it while it is pending, deletes it."""

from __future__ import annotations

import logging
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import annotations_of, is_deleting, phase
from emulator.controlplane.context import Shared
from emulator.controlplane.vmi.containers import pinned
from emulator.controlplane.vmi.controller import current_pod, pods_of
from emulator.controlplane.vmi.launcher import launcher_pod, place_target
from emulator.controlplane.vmi.nads import ask_for_resources, missing_nad
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.timestamps import now, parse_timestamp

Obj = dict[str, Any]
log = logging.getLogger(__name__)
UNSCHEDULABLE_SECONDS = 5 * 60.0
PENDING_SECONDS = 15 * 60.0


class Targets:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    async def create(self, migration: Obj, vmi: Obj) -> None:
        if missing := missing_nad(self.shared, vmi):
            # The real controller writes this only to its log, and tries again.
            raise ApiError(404, "", f"failed to render launch manifest: {missing}")
        running = current_pod(vmi, pods_of(self.shared, vmi))
        pod = launcher_pod(pinned(vmi, running), self.shared.profile, self.shared.fault_points, migration)
        ask_for_resources(self.shared, vmi, pod)
        source = self.shared.nodes.get("", vmi["status"].get("nodeName", ""))
        place_target(pod, vmi, source, migration)
        try:
            created = await self.shared.client.create(names.PODS, pod)
        except ApiError as error:
            await self.shared.recorder.warning(vmi, "FailedCreate", f"Error creating pod: {error.message}")
            raise
        await self.shared.pods.catch_up(created)
        message = f"Created migration target pod {created['metadata']['name']}"
        await self.shared.recorder.normal(migration, "SuccessfulCreate", message)

    async def delete(self, pod: Obj) -> None:
        if is_deleting(pod):
            return
        meta = pod["metadata"]
        try:
            await self.shared.client.delete(names.PODS, meta["name"], meta["namespace"], uid=meta["uid"])
        except ApiError as error:
            if error.code != 404:
                raise

    async def cancel(self, migration: Obj, pod: Obj) -> None:
        """Deletes the target pod of a migration that is cancelled before the hand-off."""
        if is_deleting(pod):
            return
        await self.delete(pod)
        where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        message = f"migration canceled and pod {where} is deleted"
        await self.shared.recorder.normal(migration, "SuccessfulDelete", message)

    async def watch_pending(self, migration: Obj, vmi: Obj, pod: Obj) -> float:
        """Warns of an unschedulable pod and deletes one that is pending for too long; seconds until the next check, 0
        for none.
        """
        if phase(pod) not in ("", "Pending") or is_deleting(pod):
            return 0.0
        scheduled = conditions.find(pod, "PodScheduled")
        unschedulable = scheduled is not None and scheduled.get("reason") == "Unschedulable"
        limit = self._limit(migration, unschedulable)
        age = (now() - parse_timestamp(pod["metadata"]["creationTimestamp"])).total_seconds()
        left = limit - age * self.shared.pace.speed
        where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if unschedulable:
            name = f"{vmi['metadata']['namespace']}/{vmi['metadata']['name']}"
            message = f"Migration target pod for VMI [{name}] is currently unschedulable."
            await self.shared.recorder.warning(migration, "migrationTargetPodUnschedulable", message)
        if left <= 0:
            kind = "unschedulable" if unschedulable else "pending"
            await self.delete(pod)
            await self.shared.recorder.normal(
                migration, "SuccessfulDelete", f"{kind} pod {where} timeout period exceeded"
            )
            return 0.0
        return left

    @staticmethod
    def _limit(migration: Obj, unschedulable: bool) -> float:
        """Seconds of the real control plane; an annotation can override them."""
        key = names.UNSCHEDULABLE_TIMEOUT if unschedulable else names.PENDING_TIMEOUT
        default = UNSCHEDULABLE_SECONDS if unschedulable else PENDING_SECONDS
        try:
            return float(annotations_of(migration).get(key, default))
        except ValueError:
            return default
