# SPDX-License-Identifier: Apache-2.0
"""virt-handler's decision whether a VMI is live-migratable, and the reason if it is not."""

from __future__ import annotations

from typing import NamedTuple

from ..kube.client import Client, Obj
from ..kube.errors import ApiError
from . import guest_spec

ALLOW_POD_BRIDGE = "kubevirt.io/allow-pod-bridge-network-live-migration"
LOCAL_VOLUMES = ("containerDisk", "cloudInitNoCloud", "cloudInitConfigDrive", "emptyDisk", "ephemeral")


class Verdict(NamedTuple):
    """``reason`` and ``message`` are "" if the VMI is migratable; ``method`` is the migration method of its disks."""

    reason: str
    message: str
    method: str


async def judge(client: Client, vmi: Obj) -> Verdict:
    """Reads the PVCs of the VMI; ApiError from the API, but a missing PVC counts as one that is not shared."""
    method = "BlockMigration" if _has_local_disk(vmi) else "LiveMigration"
    if not _interfaces_can(vmi):
        return Verdict(
            "InterfaceNotLiveMigratable",
            "cannot migrate VMI which does not use masquerade, bridge with "
            "kubevirt.io/allow-pod-bridge-network-live-migration VM annotation or a migratable plugin to connect to "
            "the pod network",
            method,
        )
    for device in ("gpus", "hostDevices"):
        if vmi["spec"]["domain"].get("devices", {}).get(device):
            return Verdict("HostDeviceNotLiveMigratable", "VMI uses a PCI host devices", method)
    for volume in vmi["spec"].get("volumes", []):
        if "hostDisk" in volume and not volume["hostDisk"].get("shared"):
            return Verdict("DisksNotLiveMigratable", "cannot migrate VMI with non-shared HostDisk", method)
        claim = _claim(volume)
        if claim and not await _is_shared(client, vmi["metadata"]["namespace"], claim):
            return Verdict(
                "DisksNotLiveMigratable",
                f"cannot migrate VMI: PVC {claim} is not shared, live migration requires that all PVCs must be shared "
                "(using ReadWriteMany access mode)",
                method,
            )
    return Verdict("", "", method)


def _interfaces_can(vmi: Obj) -> bool:
    networks = guest_spec.networks(vmi)
    for interface in guest_spec.interfaces(vmi):
        if "pod" not in networks.get(interface["name"], {}):
            continue
        binding = guest_spec.binding_of(interface)
        allowed = ALLOW_POD_BRIDGE in vmi["metadata"].get("annotations", {})
        if binding != "masquerade" and not (binding == "bridge" and allowed) and "binding" not in interface:
            return False
    return True


def _has_local_disk(vmi: Obj) -> bool:
    return any(kind in volume for volume in vmi["spec"].get("volumes", []) for kind in LOCAL_VOLUMES)


def _claim(volume: dict[str, dict[str, str]]) -> str:
    if "persistentVolumeClaim" in volume:
        return volume["persistentVolumeClaim"]["claimName"]
    return volume.get("dataVolume", {}).get("name", "")


async def _is_shared(client: Client, namespace: str, claim: str) -> bool:
    try:
        pvc = await client.get("persistentvolumeclaims", claim, namespace)
    except ApiError as error:
        if error.code != 404:
            raise
        return False
    modes = pvc.get("status", {}).get("accessModes") or pvc["spec"].get("accessModes", [])
    return "ReadWriteMany" in modes
