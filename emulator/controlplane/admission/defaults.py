# SPDX-License-Identifier: Apache-2.0
"""The mutating webhooks: what KubeVirt adds to VMs, VMIs and migration objects."""

from __future__ import annotations

import uuid

from emulator.apiserver.admission import AdmissionRequest
from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, interfaces, networks
from emulator.controlplane.admission.denials import denied, refuse
from emulator.controlplane.admission.quantities import PATTERN, is_quantity, times
from emulator.controlplane.settings import Settings
from emulator.controlplane.vmi.containers import QEMU_USER
from emulator.kube.timestamps import timestamp
from emulator.platforms.platform import Platform

VM_MUTATOR = "virtualmachines-mutator.kubevirt.io"
VMI_MUTATOR = "virtualmachineinstances-mutator.kubevirt.io"
# Limits up to which a running VM may grow by hot-plug.
HEADROOM = 4
DISK_KINDS = ("disk", "cdrom", "lun")
DEFAULT_BUS = "sata"
WITH_PCI = ("amd64", "arm64")
TRUSTED = (names.CONTROLLER_USER, names.HANDLER_USER, names.API_USER)


def is_kubevirt(platform: Platform, request: AdmissionRequest) -> bool:
    """Whether the request comes from one of KubeVirt's own components."""
    return request.user.name in map(platform.service_account, TRUSTED)


async def default_vm(request: AdmissionRequest) -> None:
    vm = request.new
    if vm is None:
        return
    spec = vm.get("spec")
    wrong = wrong_types("spec", spec, {"running": bool, "runStrategy": str, "template": dict}, required="template")
    template = spec.get("template") if isinstance(spec, dict) else None
    if isinstance(template, dict):
        wrong += wrong_types("spec.template", template, {"spec": dict})
    refuse(VM_MUTATOR, wrong)
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        return
    check_types(VM_MUTATOR, "spec.template.spec", template["spec"])
    if request.operation == "CREATE":
        meta = template.setdefault("metadata", {})
        if template["spec"].get("architecture", "amd64") in WITH_PCI:
            meta["annotations"] = {names.PCI_TOPOLOGY: "v3", **(meta.get("annotations") or {})}
        firmware = template["spec"].setdefault("domain", {}).setdefault("firmware", {})
        firmware.setdefault("uuid", str(uuid.uuid4()))
        firmware.setdefault("serial", str(uuid.uuid4()))
    _common(template["spec"])


async def default_vmi(settings: Settings, request: AdmissionRequest) -> None:
    vmi = request.new
    if vmi is None or request.operation != "CREATE":
        return
    spec = vmi.setdefault("spec", {})
    check_types(VMI_MUTATOR, "spec", spec)
    meta = vmi["metadata"]
    meta["annotations"] = {names.PCI_TOPOLOGY: "v3", **(meta.get("annotations") or {})}
    finalizers = meta.setdefault("finalizers", [])
    if names.VMI_FINALIZER not in finalizers:
        finalizers.append(names.VMI_FINALIZER)
    _common(spec)
    domain = spec["domain"]
    cpu = domain.setdefault("cpu", {})
    cpu.setdefault("model", "host-model")
    for part in ("cores", "sockets", "threads"):
        cpu.setdefault(part, 1)
    if settings.rollout_live_update:
        cpu.setdefault("maxSockets", int(cpu["sockets"]) * HEADROOM)
    domain.setdefault("features", {}).setdefault("acpi", {"enabled": True})
    domain.setdefault("firmware", {}).setdefault("uuid", str(uuid.uuid4()))
    spec.setdefault("evictionStrategy", settings.eviction_strategy)
    add_default_nic(spec, settings.default_binding)
    add_default_disks(spec)
    for volume in spec.get("volumes") or []:
        if "containerDisk" in volume:
            volume["containerDisk"].setdefault("imagePullPolicy", _pull_policy(volume["containerDisk"]["image"]))
    status = vmi.setdefault("status", {})
    guest = domain.get("memory", {}).get("guest")
    if guest:
        if settings.rollout_live_update:
            domain["memory"].setdefault("maxGuest", times(str(guest), HEADROOM))
        status["memory"] = {"guestAtBoot": guest, "guestCurrent": guest, "guestRequested": guest}
    status["currentCPUTopology"] = {part: cpu[part] for part in ("cores", "sockets", "threads")}
    status.setdefault("guestOSInfo", {})
    status["phase"] = "Pending"
    status["phaseTransitionTimestamps"] = [{"phase": "Pending", "phaseTransitionTimestamp": timestamp()}]
    status["runtimeUser"] = QEMU_USER


async def keep_vmi_status(platform: Platform, request: AdmissionRequest) -> None:
    """Discards changes of a VMI's status that do not come from KubeVirt itself."""
    if request.new is None or request.old is None or is_kubevirt(platform, request):
        return
    if "status" in request.old:
        request.new["status"] = clone(request.old["status"])
    else:
        request.new.pop("status", None)


async def default_migration(request: AdmissionRequest) -> None:
    migration = request.new
    if migration is None or request.operation != "CREATE":
        return
    meta = migration["metadata"]
    finalizers = meta.setdefault("finalizers", [])
    if names.MIGRATION_FINALIZER not in finalizers:
        finalizers.append(names.MIGRATION_FINALIZER)
    name = (migration.get("spec") or {}).get("vmiName")
    if name:
        meta["labels"] = {**(meta.get("labels") or {}), names.MIGRATION_SELECTOR: name}


def _without_empty_lists(value: Obj) -> None:
    """The webhook writes the spec from its own Go types, which omit empty lists."""
    for key, inner in list(value.items()):
        if inner == []:
            del value[key]
        elif isinstance(inner, dict):
            _without_empty_lists(inner)
        elif isinstance(inner, list):
            for item in inner:
                if isinstance(item, dict):
                    _without_empty_lists(item)


def _common(spec: Obj) -> None:
    _without_empty_lists(spec)
    spec.setdefault("architecture", "amd64")
    domain = spec.setdefault("domain", {})
    domain.setdefault("machine", {}).setdefault("type", "q35")
    domain.setdefault("resources", {})
    domain.setdefault("devices", {})


def add_default_nic(spec: Obj, binding: str) -> None:
    """The pod network's NIC of a VMI that names neither networks nor interfaces, unless it wants none."""
    devices = spec["domain"]["devices"]
    if devices.get("autoattachPodInterface") is False or networks(spec) or interfaces(spec):
        return
    devices["interfaces"] = [{"name": "default", binding: {}}]
    spec["networks"] = [{"name": "default", "pod": {}}]


def add_default_disks(spec: Obj) -> None:
    """A disk for each volume that has neither disk nor filesystem, and a bus for each disk without one."""
    devices = spec["domain"]["devices"]
    disks: list[Obj] = list(devices.get("disks") or [])
    known = {device["name"] for device in (*disks, *(devices.get("filesystems") or []))}
    disks += [{"name": volume["name"]} for volume in spec.get("volumes") or [] if volume["name"] not in known]
    for disk in disks:
        if not any(disk.get(kind) is not None for kind in DISK_KINDS):
            disk["disk"] = {}
        for kind in DISK_KINDS:
            if disk.get(kind) is not None:
                disk[kind].setdefault("bus", DEFAULT_BUS)
    if disks:
        devices["disks"] = disks


def _pull_policy(image: str) -> str:
    """Always for an image without a tag or with the tag ``latest``."""
    last = image.rsplit("/", 1)[-1]
    tag = last.rsplit(":", 1)[-1] if ":" in last else "latest"
    return "Always" if tag == "latest" and "@" not in last else "IfNotPresent"


JSON_KINDS: dict[type, str] = {dict: "object", list: "array", str: "string", bool: "boolean"}


def wrong_types(prefix: str, value: object, fields: dict[str, type], *, required: str = "") -> list[Obj]:
    """The webhook's own errors for an object's fields: without reasons and field names."""
    found = []
    here = value if isinstance(value, dict) else {}
    for field, wanted in fields.items():
        given = here.get(field)
        if given is not None and not isinstance(given, wanted):
            kind = JSON_KINDS.get(type(given), "number")
            found.append(f'{prefix}.{field} in body must be of type {JSON_KINDS[wanted]}: "{kind}"')
    if required and here.get(required) is None:
        found.append(f"{prefix}.{required} in body is required")
    return [{"message": text} for text in found]


def check_types(webhook: str, prefix: str, spec: Obj) -> None:
    """Errors for an object that the webhook cannot decode. They come before those of the CRD's schema."""
    wrong = []
    for network in networks(spec):
        name = (network.get("multus") or {}).get("networkName", "")
        if name is not None and not isinstance(name, str):
            path = f"{prefix}.networks.multus.networkName"
            kind = "number" if isinstance(name, (int, float)) else type(name).__name__
            wrong.append({"message": f'{path} in body must be of type string: "{kind}"'})
    refuse(webhook, wrong)
    domain = spec.get("domain") or {}
    memory = (domain.get("memory") or {}).get("guest", "0")
    if not is_quantity(memory):
        raise denied(webhook, f"quantities must match the regular expression '{PATTERN}'")
    for part, value in (domain.get("cpu") or {}).items():
        if isinstance(value, int) and value < 0:
            where = f"VMISpecAlias.domain.cpu.{part}" if webhook == VM_MUTATOR else f"domain.cpu.{part}"
            text = f"json: cannot unmarshal number {value} into Go struct field {where} of type uint32"
            raise denied(webhook, text)
