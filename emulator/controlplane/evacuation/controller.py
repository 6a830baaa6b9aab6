# SPDX-License-Identifier: Apache-2.0
"""The evacuation controller's loop, node by node."""

from __future__ import annotations

from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import (
    annotations_of,
    is_deleting,
    is_final,
    is_migratable,
    is_migrating,
    pod_is_down,
)
from emulator.controlplane.context import Shared
from emulator.controlplane.vmi.controller import pods_of
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.workqueue import WorkQueue

Obj = dict[str, Any]
STRATEGIES = ("LiveMigrate", "LiveMigrateIfPossible")
DESCHEDULER = "descheduler"


class EvacuationController:
    """Takes the VMIs that are marked, or all of a node with the drain taint. It counts nothing: what it asks for, the
    migration controller queues.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.queue = WorkQueue("evacuation", self.sync)
        shared.vmis.on_change(lambda _event, new, _old: self._add(new.get("status", {}).get("nodeName")))
        shared.nodes.on_change(lambda _event, new, _old: self._add(new["metadata"]["name"]))
        shared.migrations.on_change(self._on_migration)

    def _add(self, node: str | None) -> None:
        if node:
            self.queue.add(("", node))

    def _on_migration(self, event: str, new: Obj, old: Obj | None) -> None:
        vmi = self.shared.vmis.get(new["metadata"]["namespace"], new["spec"]["vmiName"])
        if vmi is not None and (event == "DELETED" or is_final(new)):
            self._add(vmi.get("status", {}).get("nodeName"))

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        name = key[1]
        node = self.shared.nodes.get("", name)
        if node is None:
            return
        drained = _is_tainted(node, str(self.shared.settings.migrations["nodeDrainTaintKey"]))
        for vmi in list(self.shared.vmis.all()):
            marked = vmi.get("status", {}).get("evacuationNodeName") == name
            if vmi.get("status", {}).get("nodeName") == name and (marked or drained) and self._can_go(vmi):
                await self._evacuate(vmi, name)

    def _can_go(self, vmi: Obj) -> bool:
        if vmi["spec"].get("evictionStrategy") not in STRATEGIES or not is_migratable(vmi):
            return False
        if is_final(vmi) or is_deleting(vmi) or is_migrating(vmi):
            return False
        if sum(not pod_is_down(pod) for pod in pods_of(self.shared, vmi)) > 1:
            return False
        meta = vmi["metadata"]
        others = self.shared.migrations.all(meta["namespace"], lambda m: m["spec"].get("vmiName") == meta["name"])
        return all(is_final(other) for other in others)

    async def _evacuate(self, vmi: Obj, node: str) -> None:
        meta = vmi["metadata"]
        spec: Obj = {"vmiName": meta["name"]}
        if self.shared.settings.sets_priority:
            by_descheduler = annotations_of(vmi).get(names.EVICTION_SOURCE) == DESCHEDULER
            spec = {"priority": "system-maintenance" if by_descheduler else "system-critical", **spec}
        migration = {
            "apiVersion": names.API_VERSION,
            "kind": "VirtualMachineInstanceMigration",
            "metadata": {
                "generateName": "kubevirt-evacuation-",
                "namespace": meta["namespace"],
                "annotations": {names.EVACUATION: node},
            },
            "spec": spec,
        }
        recorder = self.shared.evacuation_recorder
        try:
            created = await self.shared.client.create(names.MIGRATION, migration)
        except ApiError as error:
            await recorder.warning(vmi, "FailedCreate", f"Error creating a Migration: {error.message}")
            raise
        await self.shared.migrations.catch_up(created)
        await recorder.normal(vmi, "SuccessfulCreate", f"Created Migration {created['metadata']['name']}")


def _is_tainted(node: Obj, key: str) -> bool:
    taints = node.get("spec", {}).get("taints") or []
    return any(taint.get("key") == key and taint.get("effect") == "NoSchedule" for taint in taints)
