# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's workload-update-controller."""

from __future__ import annotations

import random
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import (
    annotations_of,
    is_deleting,
    is_final,
    is_migratable,
    is_migrating,
    migration_state,
    phase,
)
from emulator.controlplane.context import Shared
from emulator.controlplane.updater.eviction import Evictions
from emulator.controlplane.vmi.cpu import HOT_VCPU_CHANGE
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.workqueue import WorkQueue

Obj = dict[str, Any]
THROTTLE_SECONDS = 5.0
# The real one intends 30 seconds but passes nanoseconds: it retries at once, as long as there is something to do.
BUSY_SECONDS = 0.02


class WorkloadUpdater:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.evictions = Evictions(shared)
        self.queue = WorkQueue("workload-update", self.sync)
        shared.vmis.on_change(self._on_vmi)
        shared.migrations.on_change(self._on_migration)
        shared.caches[names.KUBEVIRT].on_change(self._on_kubevirt)

    def _on_vmi(self, event: str, new: Obj, old: Obj | None) -> None:
        if event == "DELETED" or (_waits(new) and not is_migrating(new)):
            self._later()

    def _on_migration(self, event: str, new: Obj, old: Obj | None) -> None:
        self._later()

    def _on_kubevirt(self, event: str, new: Obj, old: Obj | None) -> None:
        self._later()

    def _later(self) -> None:
        key = (self.shared.platform.kubevirt_namespace, self.shared.platform.kubevirt_name)
        self.queue.add_after(key, self.shared.pace.seconds(THROTTLE_SECONDS))

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        settings = self.shared.settings
        if settings.kubevirt is None or not settings.deployed:
            return
        unfinished = [m for m in self.shared.migrations.all() if not is_final(m)]
        to_abort = self._to_abort(unfinished)
        candidates = self.shared.fault_points.apply(
            "updater.candidates", self._candidates(unfinished), vmis=list(self.shared.vmis.all())
        )
        await self._count_outdated()
        methods = self.shared.fault_points.apply("updater.methods", settings.update_methods)
        to_migrate = [vmi for vmi in candidates if "LiveMigrate" in methods and is_migratable(vmi)]
        to_evict = [vmi for vmi in candidates if vmi not in to_migrate] if "Evict" in methods else []
        if to_migrate or to_evict or to_abort:
            self.queue.add_after(key, BUSY_SECONDS)
        for vmi, migration in to_abort:
            await self._abort(vmi, migration)
        free = max(0, settings.parallel_migrations - len(unfinished))
        # Shuffled as in the real one, so that a VMI that cannot migrate does not block the others.
        random.shuffle(to_migrate)
        for vmi in to_migrate[:free]:
            await self._migrate(vmi)
        await self.evictions.evict(to_evict)

    def _candidates(self, unfinished: list[Obj]) -> list[Obj]:
        covered = {(m["metadata"]["namespace"], m["spec"]["vmiName"]) for m in unfinished}
        return [
            vmi
            for vmi in self.shared.vmis.all()
            if phase(vmi) == "Running"
            and not is_deleting(vmi)
            and not is_migrating(vmi)
            and _waits(vmi)
            and (vmi["metadata"]["namespace"], vmi["metadata"]["name"]) not in covered
            and names.ABORTION_TEST_HOOK not in annotations_of(vmi)
        ]

    def _to_abort(self, unfinished: list[Obj]) -> list[tuple[Obj, Obj]]:
        """The updater's own migrations of VMIs that no longer require one, unless the guest runs on the target."""
        found = []
        for migration in unfinished:
            if names.WORKLOAD_UPDATE not in annotations_of(migration):
                continue
            vmi = self.shared.vmis.get(migration["metadata"]["namespace"], migration["spec"]["vmiName"])
            if vmi is None or phase(vmi) != "Running" or is_deleting(vmi):
                continue
            if _waits(vmi) and names.ABORTION_TEST_HOOK not in annotations_of(vmi):
                continue
            if not migration_state(vmi).get("targetNodeDomainReadyTimestamp"):
                found.append((vmi, migration))
        return found

    async def _migrate(self, vmi: Obj) -> None:
        spec: Obj = {"vmiName": vmi["metadata"]["name"]}
        if self.shared.settings.sets_priority:
            spec = {"priority": "user-triggered", **spec}
        migration = {
            "apiVersion": names.API_VERSION,
            "kind": "VirtualMachineInstanceMigration",
            "metadata": {
                "generateName": "kubevirt-workload-update-",
                "namespace": vmi["metadata"]["namespace"],
                "annotations": {names.WORKLOAD_UPDATE: ""},
            },
            "spec": spec,
        }
        try:
            created = await self.shared.client.create(names.MIGRATION, migration)
        except ApiError as error:
            message = f"Error creating a Migration for automated workload update: {error.message}"
            await self.shared.update_recorder.warning(vmi, "FailedCreate", message)
            return
        await self.shared.migrations.catch_up(created)
        message = f"Created Migration {created['metadata']['name']} for automated workload update"
        await self.shared.update_recorder.normal(vmi, "SuccessfulCreate", message)

    async def _abort(self, vmi: Obj, migration: Obj) -> None:
        meta = migration["metadata"]
        name = vmi["metadata"]["name"]
        try:
            await self.shared.client.delete(names.MIGRATION, meta["name"], meta["namespace"])
        except ApiError as error:
            if error.code != 404:
                message = f"Failed to abort change for vmi: {name}: {error.message}"
                await self.shared.update_recorder.warning(vmi, "FailedChangeAbortion", message)
            return
        await self.shared.update_recorder.normal(vmi, "SuccessfulChangeAbortion", f"Aborted change for vmi: {name}")

    async def _count_outdated(self) -> None:
        """``status.outdatedVirtualMachineInstanceWorkloads`` counts every VMI with pending changes."""
        kubevirt = self.shared.settings.kubevirt
        waiting = [vmi for vmi in self.shared.vmis.all() if not is_final(vmi) and _waits(vmi)]
        field = "outdatedVirtualMachineInstanceWorkloads"
        if kubevirt is None or kubevirt.get("status", {}).get(field, 0) == len(waiting):
            return
        meta = kubevirt["metadata"]
        patch = {"status": {field: len(waiting)}}
        written = await self.shared.client.patch(
            names.KUBEVIRT, meta["name"], meta["namespace"], patch, subresource="status"
        )
        await self.shared.caches[names.KUBEVIRT].catch_up(written)


def _waits(vmi: Obj) -> bool:
    """Whether a VMI needs a migration to get its pending changes."""
    return conditions.is_true(vmi, names.MIGRATION_REQUIRED) or conditions.is_true(vmi, HOT_VCPU_CHANGE)
