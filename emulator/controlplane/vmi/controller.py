# SPDX-License-Identifier: Apache-2.0
"""The VMI controller: creates the launcher pod of a VMI, and maintains the status fields that follow from pods."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import (
    annotations_of,
    controller_of,
    is_controlled_by,
    is_deleting,
    is_final,
    is_migrating,
    labels_of,
    migration_state,
    phase,
    pod_is_down,
)
from emulator.controlplane.context import Shared
from emulator.controlplane.network.evaluator import Need, migration_need
from emulator.controlplane.optimistic_patch import changes
from emulator.controlplane.vmi import status
from emulator.controlplane.vmi.cpu import sync_hot_change
from emulator.controlplane.vmi.launcher import launcher_pod
from emulator.controlplane.vmi.nads import ask_for_resources, missing_nad
from emulator.controlplane.vmi.podsync import sync_pod
from emulator.controlplane.volumes import missing_claim
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.workqueue import WorkQueue

Obj = dict[str, Any]
PENDING_GRACE_SECONDS = 15.0
PENDING_RECHECK_SECONDS = 10.0


class VmiController:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.queue = WorkQueue("vmi", self.sync)
        shared.vmis.on_change(self._on_vmi)
        shared.pods.on_change(self._on_pod)
        shared.migrations.on_change(self._on_migration)

    def _on_vmi(self, event: str, new: Obj, old: Obj | None) -> None:
        self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _on_migration(self, event: str, new: Obj, old: Obj | None) -> None:
        if is_final(new) or event == "DELETED":
            self.queue.add((new["metadata"]["namespace"], new["spec"]["vmiName"]))

    def _on_pod(self, event: str, new: Obj, old: Obj | None) -> None:
        owner = controller_of(new, "VirtualMachineInstance")
        if owner:
            self.queue.add((new["metadata"]["namespace"], owner))

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        vmi = self.shared.vmis.get(*key)
        if vmi is None:
            return
        if annotations_of(vmi) | names.OBSERVED_VERSIONS != annotations_of(vmi):
            patch = {"metadata": {"annotations": names.OBSERVED_VERSIONS}}
            await self._write(vmi, patch)
            return
        pods = pods_of(self.shared, vmi)
        pod = current_pod(vmi, pods)
        problem: Obj | None = None
        if is_deleting(vmi):
            await self._delete_pods(vmi, pods)
        elif pod is None and phase(vmi) in ("", "Pending"):
            pod, problem = await self._create_pod(vmi)
            pods = [pod] if pod else []
        elif pod is not None:
            await sync_pod(self.shared, vmi, pod)
        await self._update(vmi, pods, pod, problem)
        if problem is not None:
            raise ApiError(404, "NotFound", problem["message"])

    async def _create_pod(self, vmi: Obj) -> tuple[Obj | None, Obj | None]:
        """The new pod, or the condition with the reason why there is none."""
        if missing := missing_nad(self.shared, vmi):
            message = f"failed to render launch manifest: {missing}"
            return None, conditions.new("Synchronized", "False", reason="FailedCreate", message=message)
        if missing := missing_claim(self.shared, vmi):
            return None, conditions.new("Synchronized", "False", reason="FailedPvcNotFound", message=missing)
        template = launcher_pod(vmi, self.shared.profile, self.shared.fault_points)
        ask_for_resources(self.shared, vmi, template)
        try:
            pod = await self.shared.client.create(names.PODS, template)
        except ApiError as error:
            await self.shared.recorder.warning(vmi, "FailedCreate", f"Error creating pod: {error.message}")
            raise
        await self.shared.pods.catch_up(pod)
        name = pod["metadata"]["name"]
        await self.shared.recorder.normal(vmi, "SuccessfulCreate", f"Created virtual machine pod {name}")
        return pod, None

    async def _delete_pods(self, vmi: Obj, pods: list[Obj]) -> None:
        for pod in pods:
            if is_deleting(pod) and not pod_is_down(pod):
                continue
            meta = pod["metadata"]
            try:
                await self.shared.client.delete(names.PODS, meta["name"], meta["namespace"], uid=meta["uid"])
            except ApiError as error:
                if error.code != 404:
                    raise
                continue
            message = f"Deleted virtual machine pod {meta['name']}"
            await self.shared.recorder.normal(vmi, "SuccessfulDelete", message)

    async def _update(self, vmi: Obj, pods: list[Obj], pod: Obj | None, problem: Obj | None) -> None:
        new = clone(vmi)
        new.setdefault("status", {})
        if problem is not None:
            conditions.put(new, problem)
        else:
            conditions.remove(new, "Synchronized")
        if not is_final(new):
            status.advance(new, pod, self.shared.profile)
        status.sync_pods(new, pods, pod)
        status.sync_ready(new, pod)
        status.sync_scheduled(new, pod)
        status.sync_eviction(new)
        if pod is not None and phase(new) == "Running":
            status.sync_interfaces(new, pod)
            if not is_migrating(new) and not self._handing_over(new):
                self._sync_migration_required(new, pod)
                sync_hot_change(new)
        if is_final(new) and is_deleting(new) and all(pod_is_down(p) for p in pods):
            self._release(new)
        await self._write(vmi, changes(vmi, new, (("status",), ("metadata",))))

    def _release(self, vmi: Obj) -> None:
        kept = [f for f in vmi["metadata"].get("finalizers", []) if f != names.VMI_FINALIZER]
        if kept:
            vmi["metadata"]["finalizers"] = kept
        else:
            vmi["metadata"].pop("finalizers", None)

    def _sync_migration_required(self, vmi: Obj, pod: Obj) -> None:
        live = self.shared.settings.live_updates_nad
        need = migration_need(vmi, pod, live_updates_nad=live)
        need = self.shared.fault_points.apply("vmi.migration_required", need, vmi=vmi, pod=pod)
        known = conditions.find(vmi, names.MIGRATION_REQUIRED)
        if need is Need.NONE:
            conditions.remove(vmi, names.MIGRATION_REQUIRED)
        elif known is not None and known["status"] == "True":
            return
        elif need is Need.IMMEDIATE or (known is not None and self._age(vmi, known) > PENDING_GRACE_SECONDS):
            conditions.put(vmi, conditions.new(names.MIGRATION_REQUIRED, "True", reason=names.AUTO_MIGRATION))
        else:
            if known is None:
                pending = conditions.new(names.MIGRATION_REQUIRED, "False", reason=names.AUTO_MIGRATION_PENDING)
                conditions.put(vmi, pending)
                self.shared.elapsed_times.start(_pending_key(vmi))
            key = (vmi["metadata"]["namespace"], vmi["metadata"]["name"])
            self.queue.add_after(key, self.shared.pace.seconds(PENDING_RECHECK_SECONDS))

    def _handing_over(self, vmi: Obj) -> bool:
        """The time between virt-handler's last writes and the end of the migration object.

        The real controller syncs the VMI in this time, too. If the VMI then requires its next migration, the one that
        has just ended never succeeds. On a real cluster that is a race; here a fault point decides it.
        """
        state = migration_state(vmi)
        if not state.get("endTimestamp") or state.get("failed"):
            return False
        uid = state.get("migrationUid")
        found = self.shared.migrations.all(vmi["metadata"]["namespace"], lambda m: m["metadata"]["uid"] == uid)
        migration = next((m for m in found if not is_final(m)), None)
        waits = migration is not None
        return self.shared.fault_points.apply("vmi.waits_for_hand_over", waits, vmi=vmi, migration=migration)

    def _age(self, vmi: Obj, condition: Obj) -> float:
        """Seconds of the real control plane since the condition changed."""
        return self.shared.elapsed_times.since(_pending_key(vmi), condition["lastTransitionTime"])

    async def _write(self, vmi: Obj, patch: list[Obj] | Obj) -> None:
        if not patch:
            return
        meta = vmi["metadata"]
        written = await self.shared.client.patch(names.VMI, meta["name"], meta["namespace"], patch)
        await self.shared.vmis.catch_up(written)


def _pending_key(vmi: Obj) -> str:
    return f"migration pending {vmi['metadata']['uid']}"


def pods_of(shared: Shared, vmi: Obj) -> list[Obj]:
    """The launcher pods of a VMI, newest last."""
    found = shared.pods.all(vmi["metadata"]["namespace"], lambda pod: is_controlled_by(pod, vmi))
    return sorted(found, key=_age_order)


def _age_order(pod: Obj) -> tuple[str, bool, bool]:
    """Timestamps are whole seconds: of two pods of one second, one that has ended is older, a target pod is younger."""
    return pod["metadata"]["creationTimestamp"], not pod_is_down(pod), names.MIGRATION_JOB_UID in labels_of(pod)


def current_pod(vmi: Obj, pods: list[Obj]) -> Obj | None:
    """The newest pod on the VMI's node; the newest of all if the VMI has no node yet."""
    node = vmi.get("status", {}).get("nodeName")
    here = [p for p in pods if not node or p["spec"].get("nodeName") == node]
    return here[-1] if here else None
