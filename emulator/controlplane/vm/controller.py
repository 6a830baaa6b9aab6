# SPDX-License-Identifier: Apache-2.0
"""The VM controller."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane import names, volumes
from emulator.controlplane.accessors import (
    annotations_of,
    by_name,
    interfaces,
    is_absent,
    is_deleting,
    is_final,
    is_migratable,
    networks,
    owner_reference,
)
from emulator.controlplane.context import Shared
from emulator.controlplane.network import sync as network_sync
from emulator.controlplane.network.restart import restart_required
from emulator.controlplane.optimistic_patch import changes
from emulator.controlplane.vm.revision import ensure_revision, started_from
from emulator.controlplane.vm.runstrategy import Action, next_action, requests, restarts_after_stop
from emulator.controlplane.vm.startfailure import seconds_to_wait, sync_start_failure
from emulator.controlplane.vm.status import snapshot_statuses, sync_status
from emulator.controlplane.vmi.cpu import sockets_patch
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.workqueue import WorkQueue

Obj = dict[str, Any]


class VmController:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.queue = WorkQueue("vm", self.sync)
        shared.vms.on_change(self._on_change)
        shared.vmis.on_change(self._on_change)
        shared.caches[names.KUBEVIRT].on_change(self._on_configuration)
        for resource in (names.CLAIM, names.DATA_VOLUME):
            shared.caches[resource].on_change(self._on_volume)

    def _on_change(self, event: str, new: Obj, old: Obj | None) -> None:
        # A VM and its VMI have the same name.
        self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _on_volume(self, event: str, new: Obj, old: Obj | None) -> None:
        meta = new["metadata"]
        for vm in self.shared.vms.all(meta["namespace"]):
            if any(meta["name"] in found for found in volumes.volume_names(vm["spec"]["template"]["spec"])):
                self._on_change("MODIFIED", vm, None)

    def _on_configuration(self, event: str, new: Obj, old: Obj | None) -> None:
        if old is not None and old.get("spec") == new.get("spec"):
            return
        for vm in self.shared.vms.all():
            self._on_change("MODIFIED", vm, None)

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        vm = self.shared.vms.get(*key)
        if vm is None:
            return
        vmi = self.shared.vmis.get(*key)
        if vmi is not None and not self._owns(vm, vmi):
            vmi = None
        if is_deleting(vm):
            await self._finish(vm, vmi)
            return
        if await self._prepare(vm):
            return
        await self._release(vmi)
        await volumes.ensure_data_volumes(self.shared, vm)
        vmi = await self._sync_generation(vm, vmi)
        restart = self._restart_required(vm, vmi, key)
        acted = await self._follow_run_strategy(vm, vmi)
        failure = None
        if not acted and vmi is not None and not is_deleting(vmi) and not is_final(vmi):
            failure = await self._sync_networks(vm, vmi)
            await self._sync_sockets(vm, self.shared.vmis.get(*key) or vmi)
        now = self.shared.vms.get(*key) or vm
        if acted:
            # A start or a stop fulfils a restart request.
            restart = False
        await self._write_status(now, vmi, restart, failure)

    @staticmethod
    def _owns(vm: Obj, vmi: Obj) -> bool:
        return any(ref["uid"] == vm["metadata"]["uid"] for ref in vmi["metadata"].get("ownerReferences") or [])

    async def _prepare(self, vm: Obj) -> bool:
        """Writes finalizer and defaults to a new VM; True if it wrote and the next sync continues."""
        meta = vm["metadata"]
        statuses = snapshot_statuses(vm)
        if "printableStatus" not in vm.get("status", {}):
            first: Obj = {"printableStatus": "Stopped"}
            if statuses:
                first["volumeSnapshotStatuses"] = statuses
            await self._patch(vm, {"status": first}, "status")
            return True
        if annotations_of(vm) | names.OBSERVED_VERSIONS != annotations_of(vm):
            await self._patch(vm, {"metadata": {"annotations": names.OBSERVED_VERSIONS}})
            return True
        if names.VM_FINALIZER not in meta.get("finalizers", []):
            finalizers = [*meta.get("finalizers", []), names.VM_FINALIZER]
            await self._patch(vm, {"metadata": {"finalizers": finalizers, "resourceVersion": meta["resourceVersion"]}})
            return True
        return False

    async def _finish(self, vm: Obj, vmi: Obj | None) -> None:
        """Deletes the VMI of a VM that is being deleted, then removes the VM's finalizer."""
        if vmi is not None:
            await self._release(vmi)
            if not is_deleting(vmi):
                await self._stop(vm, vmi)
            await self._write_status(vm, vmi, None, None)
            return
        kept = [f for f in vm["metadata"].get("finalizers", []) if f != names.VM_FINALIZER]
        if kept != vm["metadata"].get("finalizers", []):
            version = vm["metadata"]["resourceVersion"]
            await self._patch(vm, {"metadata": {"finalizers": kept or None, "resourceVersion": version}})

    async def _release(self, vmi: Obj | None) -> None:
        """Takes the VM controller's finalizer off a VMI that has ended and is being deleted."""
        if vmi is None or not is_deleting(vmi) or not is_final(vmi):
            return
        if names.VM_FINALIZER not in vmi["metadata"].get("finalizers", []):
            return
        new = clone(vmi)
        new["metadata"]["finalizers"].remove(names.VM_FINALIZER)
        if not new["metadata"]["finalizers"]:
            del new["metadata"]["finalizers"]
        await self._patch_vmi(vmi, changes(vmi, new, (("metadata",),)))

    async def _sync_generation(self, vm: Obj, vmi: Obj | None) -> Obj | None:
        """Raises the generation noted on the VMI while the template equals the spec that the VMI was started from."""
        if vmi is None or is_deleting(vmi):
            return vmi
        start = started_from(self.shared, vmi)
        generation = str(vm["metadata"]["generation"])
        if start is None or start["template"] != vm["spec"]["template"]:
            return vmi
        if annotations_of(vmi).get(names.VM_GENERATION) == generation:
            return vmi
        return await self._patch_vmi(vmi, {"metadata": {"annotations": {names.VM_GENERATION: generation}}})

    def _restart_required(self, vm: Obj, vmi: Obj | None, key: Key) -> bool | None:
        if vmi is None or is_deleting(vmi):
            return None
        start = started_from(self.shared, vmi)
        if start is None:
            return None
        required = restart_required(vm, vmi, start, self.shared.settings)

        def requeue(seconds: float) -> None:
            self.queue.add_after(key, seconds)

        return self.shared.fault_points.apply(
            "vm.restart_required", required, vm=vm, vmi=vmi, settings=self.shared.settings, requeue=requeue
        )

    async def _follow_run_strategy(self, vm: Obj, vmi: Obj | None) -> bool:
        action = self.shared.fault_points.apply("vm.action", next_action(vm, vmi), vm=vm, vmi=vmi)
        if action is Action.START and not volumes.are_ready(self.shared, vm):
            return False
        if action is Action.START:
            await self._start(vm)
        elif action is Action.STOP and vmi is not None:
            await self._stop(vm, vmi)
        return action is not Action.NONE

    async def _start(self, vm: Obj) -> None:
        meta = vm["metadata"]
        if self.shared.vmis.get(meta["namespace"], meta["name"]) is not None:
            raise ApiError(409, "AlreadyExists", f"VMI {meta['namespace']}/{meta['name']} belongs to another owner")
        revision = await ensure_revision(self.shared, vm)
        template = vm["spec"]["template"]
        vmi = {
            "apiVersion": names.API_VERSION,
            "kind": "VirtualMachineInstance",
            "metadata": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "labels": clone(template.get("metadata", {}).get("labels") or {}),
                "annotations": {
                    **(template.get("metadata", {}).get("annotations") or {}),
                    names.VM_GENERATION: str(meta["generation"]),
                },
                "ownerReferences": [owner_reference(vm)],
                "finalizers": [names.VM_FINALIZER],
            },
            "spec": self._start_spec(template["spec"]),
            "status": {"virtualMachineRevisionName": revision},
        }
        created = await self.shared.client.create(names.VMI, vmi)
        await self.shared.vmis.catch_up(created)
        message = f"Started the virtual machine by creating the new virtual machine instance {meta['name']}"
        await self.shared.recorder.normal(vm, "SuccessfulCreate", message)

    @staticmethod
    def _start_spec(spec: Obj) -> Obj:
        """The template's spec without NICs that are marked absent."""
        found: Obj = clone(spec)
        absent = {nic["name"] for nic in interfaces(found) if is_absent(nic)}
        if absent:
            found["networks"] = [n for n in networks(found) if n["name"] not in absent]
            devices = found["domain"]["devices"]
            devices["interfaces"] = [c for c in interfaces(found) if c["name"] not in absent]
        return found

    async def _stop(self, vm: Obj, vmi: Obj) -> None:
        meta = vmi["metadata"]
        if restarts_after_stop(vm, vmi):
            await self._patch(vm, {"status": {"stateChangeRequests": [*requests(vm), {"action": "Start"}]}}, "status")
        await self.shared.client.delete(names.VMI, meta["name"], meta["namespace"], uid=meta["uid"])
        message = f"Stopped the virtual machine by deleting the virtual machine instance {meta['uid']}"
        await self.shared.recorder.normal(vm, "SuccessfulDelete", message)

    async def _sync_networks(self, vm: Obj, vmi: Obj) -> Obj | None:
        """Copies live updates to the VMI; the Failure condition if the VMI refuses them."""
        settings = self.shared.settings
        copy_nad = settings.live_updates_nad and (is_migratable(vmi) or not settings.profile.asks_migratable)
        copy_nad = self.shared.fault_points.apply("vm.copy_nad", copy_nad, vm=vm, vmi=vmi, settings=settings)
        gone = {name for name in network_sync.detached(vmi) if is_absent(_nic(vm, name))}
        cleaned = network_sync.without(vm, gone) if gone else vm
        plug = self.shared.fault_points.apply("vm.plug_nic", True, vm=vm, vmi=vmi)
        copy_interfaces = self.shared.fault_points.apply("vm.copy_interfaces", False, vm=vm, vmi=vmi)
        nets, nics = network_sync.synced(cleaned, vmi, copy_nad=copy_nad, plug=plug, copy_interfaces=copy_interfaces)
        patch = network_sync.patch_of(vmi, nets, nics)
        try:
            if patch:
                await self._patch_vmi(vmi, patch)
        except ApiError as error:
            if error.code == 409 or "the server rejected our request" in error.message:
                raise
            message = f"error encountered when trying to patch vmi: {error.message}"
            return conditions.new("Failure", "True", reason="HotPlugNetworkInterfaceError", message=message)
        if gone:
            await self._patch(vm, changes(vm, cleaned, (("spec", "template", "spec"),)))
        return None

    async def _sync_sockets(self, vm: Obj, vmi: Obj) -> None:
        if self.shared.settings.rollout_live_update and (patch := sockets_patch(vm, vmi)):
            await self._patch_vmi(vmi, patch)

    async def _write_status(self, vm: Obj, vmi: Obj | None, restart: bool | None, failure: Obj | None) -> None:
        new = clone(vm)
        new.setdefault("status", {})
        sync_start_failure(new, vmi, self.shared.pace)
        waiting = volumes.printable(self.shared, vm)
        sync_status(new, vmi, restart_required=restart, failure=failure, volumes=waiting)
        if vmi is None and (wait := seconds_to_wait(new)):
            self.queue.add_after((vm["metadata"]["namespace"], vm["metadata"]["name"]), wait)
        patch = changes(vm, new, (("status",),))
        if patch:
            await self._patch(vm, patch, "status")

    async def _patch(self, vm: Obj, patch: list[Obj] | Obj, subresource: str = "") -> None:
        meta = vm["metadata"]
        client = self.shared.client
        written = await client.patch(names.VM, meta["name"], meta["namespace"], patch, subresource=subresource)
        await self.shared.vms.catch_up(written)

    async def _patch_vmi(self, vmi: Obj, patch: list[Obj] | Obj) -> Obj:
        meta = vmi["metadata"]
        written = await self.shared.client.patch(names.VMI, meta["name"], meta["namespace"], patch)
        await self.shared.vmis.catch_up(written)
        return written


def _nic(vm: Obj, name: str) -> Obj:
    return by_name(interfaces(vm["spec"]["template"]["spec"])).get(name, {})
