# SPDX-License-Identifier: Apache-2.0
"""addvolume and removevolume of a VM or VMI: what virt-api refuses, and dry runs.

There are no disks to plug: what virt-api would accept is refused as well, in words of the embedded cluster.
"""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane.accessors import Obj, controller_of, phase
from emulator.controlplane.admission.denials import INVALID, VMI_UPDATE, cause
from emulator.controlplane.settings import Settings
from emulator.controlplane.subresources.lifecycle import body_of
from emulator.controlplane.subresources.responses import Refusal, bad_request, conflict, empty, internal
from emulator.controlplane.subresources.targets import VM, VMI, Targets

GATES_OFF = "Enable DeclarativeHotplugVolumes or HotplugVolumes feature gate to use this API."
REQUESTS = "HotplugVolumes"
NO_DISKS = "the embedded cluster has no disks: nothing was plugged or unplugged"
VM_STATUS = "kubevirt-crd-status-validator.kubevirt.io"
PLUGGABLE = ("scsi", "virtio")


class Volumes:
    def __init__(self, targets: Targets) -> None:
        self.targets = targets

    async def add_to_vm(self, call: HttpCall) -> web.StreamResponse:
        options = await self._options(call)
        _check_addition(options)
        vm = await self.targets.vm(call)
        _check_new(VM, call.info.name, vm["spec"]["template"]["spec"], options)
        if self.settings.gate(REQUESTS):
            _check_bus(VM_STATUS, "AddVolume request", options, "Status.volumeRequests")
        return _accepted(options)

    async def remove_from_vm(self, call: HttpCall) -> web.StreamResponse:
        options = await self._options(call)
        _check_removal(options)
        vm = await self.targets.vm(call)
        _check_old(VM, call.info.name, vm["spec"]["template"]["spec"], options)
        return _accepted(options)

    async def add_to_vmi(self, call: HttpCall) -> web.StreamResponse:
        options = await self._options(call)
        _check_addition(options)
        vmi = await self._pluggable(call)
        _check_new(VMI, call.info.name, vmi["spec"], options)
        _check_bus(VMI_UPDATE, "Hotplug configuration", options)
        return _accepted(options)

    async def remove_from_vmi(self, call: HttpCall) -> web.StreamResponse:
        options = await self._options(call)
        _check_removal(options)
        vmi = await self._pluggable(call)
        _check_old(VMI, call.info.name, vmi["spec"], options)
        return _accepted(options)

    @property
    def settings(self) -> Settings:
        return self.targets.shared.settings

    async def _options(self, call: HttpCall) -> Obj:
        check_gates(self.settings)
        return await body_of(call)

    async def _pluggable(self, call: HttpCall) -> Obj:
        vmi = await self.targets.vmi(call)
        if not self.settings.gate(REQUESTS) and controller_of(vmi, "VirtualMachine"):
            raise bad_request(f"VMI {call.info.namespace}/{call.info.name} is owned by a VM")
        if phase(vmi) != "Running":
            raise conflict(VMI, call.info.name, "VM is not running")
        return vmi


def check_gates(settings: Settings) -> None:
    """Refusal 400 unless one of the two gates for plugging volumes is on; asked before the VM is looked up."""
    if not settings.gate("DeclarativeHotplugVolumes") and not settings.gate(REQUESTS):
        raise bad_request(GATES_OFF)


def _check_addition(options: Obj) -> None:
    if not options.get("name"):
        raise bad_request("AddVolumeOptions requires name to be set")
    if options.get("disk") is None:
        raise bad_request("AddVolumeOptions requires disk to not be nil")
    if options.get("volumeSource") is None:
        raise bad_request("AddVolumeOptions requires VolumeSource to not be nil")


def _check_removal(options: Obj) -> None:
    if not options.get("name"):
        raise bad_request("RemoveVolumeOptions requires name to be set")


def _check_new(kind: str, name: str, spec: Obj, options: Obj) -> None:
    wanted, source = options["name"], _claim(options["volumeSource"])
    for volume in spec.get("volumes") or []:
        if volume["name"] == wanted:
            raise conflict(kind, name, f"Unable to add volume [{wanted}] because volume with that name already exists")
        if source and _claim(volume) == source:
            raise conflict(kind, name, f"Unable to add volume source [{source}] because it already exists")


def _check_old(kind: str, name: str, spec: Obj, options: Obj) -> None:
    wanted = options["name"]
    for volume in spec.get("volumes") or []:
        if wanted in (volume["name"], _claim(volume)):
            if not any((volume.get(way) or {}).get("hotpluggable") for way in ("dataVolume", "persistentVolumeClaim")):
                why = f"Unable to remove volume [{volume['name']}] because it is not hotpluggable"
                raise conflict(kind, name, why)
            return
    raise conflict(kind, name, f"Unable to remove volume [{wanted}] because it does not exist")


def _claim(source: Obj) -> str:
    volume, claim = source.get("dataVolume") or {}, source.get("persistentVolumeClaim") or {}
    return str(volume.get("name") or claim.get("claimName") or "")


def _check_bus(webhook: str, what: str, options: Obj, field: str = "") -> None:
    bus = (options["disk"].get("disk") or {}).get("bus")
    if bus and bus not in PLUGGABLE:
        text = f"{what} for disk [{options['name']}] requires bus to be 'scsi' or 'virtio'. [{bus}] is not permitted."
        message = f'admission webhook "{webhook}" denied the request: {text}'
        raise Refusal(422, "Invalid", message, {"causes": [cause(INVALID, text, field)]})


def _accepted(options: Obj) -> web.StreamResponse:
    if options.get("dryRun"):
        return empty(202)
    raise internal(NO_DISKS)
