# SPDX-License-Identifier: Apache-2.0
"""The migration controller's loop."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import (
    annotations_of,
    is_deleting,
    is_final,
    labels_of,
    migration_state,
    phase,
    pod_is_down,
    pod_is_going,
)
from emulator.controlplane.context import Shared
from emulator.controlplane.migration.backoff import failure_key, waiting_seconds
from emulator.controlplane.migration.handoff import abort_requested, handed_off, target_down
from emulator.controlplane.migration.phases import BEFORE_HAND_OFF, RUNNING, Step, next_step
from emulator.controlplane.migration.targets import Targets
from emulator.controlplane.optimistic_patch import changes
from emulator.controlplane.vmi.controller import current_pod, pods_of
from emulator.controlplane.vmi.status import set_phase
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.timestamps import parse_timestamp
from emulator.kube.workqueue import WorkQueue

Obj = dict[str, Any]
KEPT_FINISHED = 5
RETRIES = (0.005, 1000.0)
REJECTED_BY_QUOTA = "migrationRejectedByResourceQuota"
# How often a queued migration is checked again, by its priority.
RECHECK_SECONDS = {"system-critical": 1.0, "user-triggered": 3.0}
RECHECK_DEFAULT_SECONDS = 5.0


class MigrationController:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.targets = Targets(shared)
        # client-go's own limits: nothing tells this controller of a NAD that is there at last, so the longer one lacks,
        # the later it is noticed, by up to as much again.
        first, last = (shared.pace.seconds(limit) for limit in RETRIES)
        self.queue = WorkQueue("migration", self.sync, first_retry=first, last_retry=last)
        shared.migrations.on_change(self._on_migration)
        shared.vmis.on_change(self._on_vmi)
        shared.pods.on_change(self._on_pod)
        shared.caches[names.QUOTAS].on_change(self._on_quota)

    def _on_migration(self, event: str, new: Obj, old: Obj | None) -> None:
        self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _on_vmi(self, event: str, new: Obj, old: Obj | None) -> None:
        for migration in self.of_vmi(new["metadata"]["namespace"], new["metadata"]["name"]):
            self._on_migration("MODIFIED", migration, None)

    def _on_pod(self, event: str, new: Obj, old: Obj | None) -> None:
        name = annotations_of(new).get(names.MIGRATION_JOB_NAME)
        if name:
            self.queue.add((new["metadata"]["namespace"], name))

    def _on_quota(self, event: str, new: Obj, old: Obj | None) -> None:
        for migration in self.shared.migrations.all(new["metadata"]["namespace"]):
            if event != "ADDED" and conditions.find(migration, REJECTED_BY_QUOTA):
                self._on_migration("MODIFIED", migration, None)

    async def run(self) -> None:
        await self.queue.run()

    def of_vmi(self, namespace: str, name: str) -> list[Obj]:
        return list(self.shared.migrations.all(namespace, lambda m: m["spec"].get("vmiName") == name))

    def target_pod(self, migration: Obj) -> Obj | None:
        uid = migration["metadata"]["uid"]
        found = self.shared.pods.all(
            migration["metadata"]["namespace"], lambda pod: labels_of(pod).get(names.MIGRATION_JOB_UID) == uid
        )
        return next(found, None)

    async def sync(self, key: Key) -> None:
        migration = self.shared.migrations.get(*key)
        if migration is None:
            return
        if annotations_of(migration) | names.OBSERVED_VERSIONS != annotations_of(migration):
            await self._patch(migration, {"metadata": {"annotations": names.OBSERVED_VERSIONS}})
            return
        vmi = self.shared.vmis.get(key[0], migration["spec"]["vmiName"])
        target = self.target_pod(migration)
        if is_final(migration):
            await self._finish(migration, vmi, target)
            return
        ours = vmi is not None and migration_state(vmi).get("migrationUid") == migration["metadata"]["uid"]
        if is_deleting(migration) and not ours and target is not None:
            await self.targets.cancel(migration, target)
        step = next_step(migration, vmi, target, other_active=self._other_active(migration))
        step = self.shared.fault_points.apply("migration.step", step, migration=migration, vmi=vmi)
        if step is not None:
            await self._take(migration, vmi, target, step)
        elif vmi is not None:
            await self._act(migration, vmi, target)

    async def _take(self, migration: Obj, vmi: Obj | None, target: Obj | None, step: Step) -> None:
        if step.event is not None:
            await self.shared.recorder.record(migration, *step.event)
        if step.phase == "Failed":
            self.shared.elapsed_times.start(failure_key(migration))
        new = clone(migration)
        set_phase(new, step.phase)
        if step.phase == "Pending" and vmi is not None:
            source = current_pod(vmi, pods_of(self.shared, vmi))
            if source is not None:
                new["status"]["migrationState"] = {"sourcePod": source["metadata"]["name"]}
        if phase(migration) == "Scheduling":
            conditions.remove(new, REJECTED_BY_QUOTA)
        if step.aborted:
            conditions.put(new, conditions.new("migrationAbortRequested", "True"))
        await self._patch(migration, changes(migration, new, (("status",),)))
        if step.phase == "Running" and target is not None:
            await self._note_target_ready(vmi, target)

    async def _act(self, migration: Obj, vmi: Obj, target: Obj | None) -> None:
        current = phase(migration)
        state = migration_state(vmi)
        ours = state.get("migrationUid") == migration["metadata"]["uid"]
        if current == "Pending":
            await self._start(migration, vmi)
        elif current == "Scheduling" and target is not None:
            left = await self.targets.watch_pending(migration, vmi, target)
            if left:
                self._sync_after(migration, left)
        elif current == "Scheduled" and target is not None and not ours:
            await self._hand_off(migration, vmi, target)
        elif current in ("PreparingTarget", "TargetReady") and ours:
            await self._check_target(migration, vmi, target, state)
        elif current == "Running" and ours:
            if is_deleting(migration):
                await self._abort(migration, vmi, state)
            if target is not None:
                await self._note_target_ready(vmi, target)

    async def _start(self, migration: Obj, vmi: Obj) -> None:
        """Creates the target pod, once limits and back-off allow it."""
        meta = vmi["metadata"]
        others = self.of_vmi(meta["namespace"], meta["name"])
        waiting = waiting_seconds(migration, others, self.shared.elapsed_times)
        if waiting > 0:
            where = f"{meta['namespace']}/{meta['name']}"
            await self.shared.recorder.warning(vmi, "MigrationBackoff", f"backoff migrating vmi {where}")
            self._sync_after(migration, waiting)
            return
        if sum(not pod_is_going(pod) for pod in pods_of(self.shared, vmi)) > 1:
            self._sync_after(migration, 1.0)
            return
        if names.NON_ROOT not in annotations_of(vmi):
            vmi = await self._patch_vmi(vmi, {"metadata": {"annotations": {names.NON_ROOT: "true"}}})
        if self._limits_reached(vmi):
            priority = migration["spec"].get("priority", "")
            self._sync_after(migration, RECHECK_SECONDS.get(priority, RECHECK_DEFAULT_SECONDS))
            return
        try:
            await self.targets.create(migration, vmi)
        except ApiError as error:
            if "exceeded quota" in error.message:
                await self._rejected_by_quota(migration)
            raise
        self._on_migration("MODIFIED", migration, None)

    async def _rejected_by_quota(self, migration: Obj) -> None:
        """Told by a condition, which goes when the target pod is there after all."""
        new = clone(migration)
        if conditions.put(new, conditions.new(REJECTED_BY_QUOTA, "True", probed=True)):
            new["status"]["conditions"][-1].pop("lastTransitionTime")
            await self._patch(migration, changes(migration, new, (("status",),)))

    def _limits_reached(self, vmi: Obj) -> bool:
        running = [source for m in self.shared.migrations.all() if (source := self._takes_a_slot(m)) is not None]
        if len(running) >= self.shared.settings.parallel_migrations:
            return True
        node = vmi["status"].get("nodeName")
        outbound = sum(source.get("status", {}).get("nodeName") == node for source in running)
        return bool(outbound >= self.shared.settings.outbound_migrations)

    def _takes_a_slot(self, migration: Obj) -> Obj | None:
        """The VMI of a migration that counts for the limits ({} if the VMI is gone); None if it does not count.

        A Pending migration counts as soon as its target pod exists.
        """
        meta, current = migration["metadata"], phase(migration)
        vmi = self.shared.vmis.get(meta["namespace"], migration["spec"]["vmiName"])
        if current in RUNNING:
            return vmi or {}
        if current not in BEFORE_HAND_OFF or vmi is None:
            return None
        return vmi if sum(not pod_is_going(pod) for pod in pods_of(self.shared, vmi)) > 1 else None

    async def _hand_off(self, migration: Obj, vmi: Obj, target: Obj) -> None:
        source = current_pod(vmi, pods_of(self.shared, vmi))
        new = handed_off(vmi, migration, source, target, self.shared.settings)
        await self._patch_vmi(vmi, changes(vmi, new, (("status",), ("metadata",))))
        message = "Migration target pod is ready for preparation by virt-handler."
        await self.shared.recorder.normal(migration, "SuccessfulHandOver", message)

    async def _check_target(self, migration: Obj, vmi: Obj, target: Obj | None, state: Obj) -> None:
        started = state.get("startTimestamp") or state.get("targetDirectMigrationNodePorts")
        if (target is None or pod_is_down(target)) and not started and not state.get("failed"):
            await self._patch_vmi(vmi, changes(vmi, target_down(vmi), (("status",),)))
            uid = migration["metadata"]["uid"]
            message = f"VirtualMachineInstance migration uid {uid} failed. reason: Target pod is down"
            await self.shared.recorder.warning(vmi, "FailedMigration", message)

    async def _abort(self, migration: Obj, vmi: Obj, state: Obj) -> None:
        done = bool(state.get("abortRequested") or state.get("completed"))
        if not done:
            await self._patch_vmi(vmi, changes(vmi, abort_requested(vmi), (("status",),)))
        if not conditions.is_true(migration, "migrationAbortRequested"):
            new = clone(migration)
            conditions.put(new, conditions.new("migrationAbortRequested", "True"))
            await self._patch(migration, changes(migration, new, (("status",),)))
        if done:
            return
        message = "Migration is ready to be canceled by virt-handler."
        await self.shared.recorder.normal(migration, "SuccessfulAbortMigration", message)

    async def _note_target_ready(self, vmi: Obj | None, target: Obj) -> None:
        """Annotates the target pod once the guest runs there; the timestamp has Go's format."""
        ready = migration_state(vmi or {}).get("targetNodeDomainReadyTimestamp")
        if not ready or names.TARGET_READY in annotations_of(target) or pod_is_going(target):
            return
        moment = parse_timestamp(ready).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        meta = target["metadata"]
        patch = {"metadata": {"annotations": {names.TARGET_READY: moment}}}
        written = await self.shared.client.patch(names.PODS, meta["name"], meta["namespace"], patch)
        await self.shared.pods.catch_up(written)

    async def _finish(self, migration: Obj, vmi: Obj | None, target: Obj | None) -> None:
        """After the last phase: copies the state, removes the finalizer and the pod of a cancelled migration, deletes
        old ones.
        """
        meta = migration["metadata"]
        state = migration_state(vmi) if vmi else {}
        ours = state.get("migrationUid") == meta["uid"]
        held = names.MIGRATION_FINALIZER in meta.get("finalizers", [])
        if held and ours and state.get("completed") and migration["status"].get("migrationState") != state:
            new = clone(migration)
            new["status"]["migrationState"] = state
            await self._patch(migration, changes(migration, new, (("status",),)))
            return
        if not ours and phase(migration) == "Failed" and target is not None and not pod_is_down(target):
            # Failed before the hand-off: no virt-handler will delete this pod.
            await self.targets.delete(target)
        if held:
            new = clone(migration)
            new["metadata"]["finalizers"].remove(names.MIGRATION_FINALIZER)
            if not new["metadata"]["finalizers"]:
                del new["metadata"]["finalizers"]
            await self._patch(migration, changes(migration, new, (("metadata",),)))
            return
        await self._collect_garbage(migration)

    async def _collect_garbage(self, migration: Obj) -> None:
        """Keeps the five newest finished objects of a VMI, and none of a VMI that is gone."""
        namespace, vmi_name = migration["metadata"]["namespace"], migration["spec"]["vmiName"]
        finished = [m for m in self.of_vmi(namespace, vmi_name) if is_final(m) and not is_deleting(m)]
        finished.sort(key=lambda m: (m["metadata"]["creationTimestamp"], int(m["metadata"]["resourceVersion"])))
        kept = KEPT_FINISHED if self.shared.vmis.get(namespace, vmi_name) else 0
        for old in finished[: max(0, len(finished) - kept)]:
            try:
                await self.shared.client.delete(names.MIGRATION, old["metadata"]["name"], namespace)
            except ApiError as error:
                if error.code != 404:
                    raise

    def _other_active(self, migration: Obj) -> bool:
        meta = migration["metadata"]
        others = self.of_vmi(meta["namespace"], migration["spec"]["vmiName"])
        return any(m["metadata"]["uid"] != meta["uid"] and not is_final(m) and phase(m) for m in others)

    def _sync_after(self, migration: Obj, seconds: float) -> None:
        """Syncs the migration again after this many seconds of the real control plane."""
        key = (migration["metadata"]["namespace"], migration["metadata"]["name"])
        self.queue.add_after(key, self.shared.pace.seconds(seconds))

    async def _patch(self, migration: Obj, patch: list[Obj] | Obj) -> None:
        if not patch:
            return
        meta = migration["metadata"]
        subresource = "status" if isinstance(patch, list) and _touches_status(patch) else ""
        written = await self.shared.client.patch(
            names.MIGRATION, meta["name"], meta["namespace"], patch, subresource=subresource
        )
        await self.shared.migrations.catch_up(written)

    async def _patch_vmi(self, vmi: Obj, patch: list[Obj] | Obj) -> Obj:
        if not patch:
            return vmi
        meta = vmi["metadata"]
        written = await self.shared.client.patch(names.VMI, meta["name"], meta["namespace"], patch)
        await self.shared.vmis.catch_up(written)
        return written


def _touches_status(patch: list[Obj]) -> bool:
    return any(operation["path"].startswith("/status") for operation in patch if operation["op"] != "test")
