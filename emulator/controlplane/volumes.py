# SPDX-License-Identifier: Apache-2.0
"""The DataVolumes and claims of a VM: created from its templates, waited for, and shown in its status."""

from __future__ import annotations

from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, owner_reference
from emulator.controlplane.context import Shared
from emulator.kube import conditions
from emulator.kube.errors import ApiError

CREATED_BY = "kubevirt.io/created-by"
READY = ("Succeeded", "WaitForFirstConsumer", "PendingPopulation")


def volume_names(spec: Obj) -> tuple[list[str], list[str]]:
    """Names of the DataVolumes and of the claims that a VM's or a VMI's spec uses."""
    volumes = spec.get("volumes") or []
    data = [volume["dataVolume"]["name"] for volume in volumes if "dataVolume" in volume]
    claims = [v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v]
    return data, claims


async def ensure_data_volumes(shared: Shared, vm: Obj) -> None:
    """Creates the missing DataVolumes of the VM's templates."""
    meta = vm["metadata"]
    cache = shared.caches[names.DATA_VOLUME]
    for template in vm["spec"].get("dataVolumeTemplates") or []:
        name = template["metadata"]["name"]
        if cache.get(meta["namespace"], name) is not None:
            continue
        wanted: Obj = clone(template)
        labels = {**(template["metadata"].get("labels") or {}), CREATED_BY: meta["uid"]}
        wanted["metadata"] |= {"namespace": meta["namespace"], "labels": labels}
        wanted["metadata"]["ownerReferences"] = [owner_reference(vm)]
        wanted |= {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume"}
        try:
            created = await shared.client.create(names.DATA_VOLUME, wanted)
        except ApiError as error:
            message = f"Error creating DataVolume {name}: {error.message}"
            await shared.recorder.warning(vm, "FailedDataVolumeCreate", message)
            raise
        await cache.catch_up(created)
        await shared.recorder.normal(vm, "SuccessfulDataVolumeCreate", f"Created DataVolume {name}")


def are_ready(shared: Shared, vm: Obj) -> bool:
    """Whether the VM may start: its DataVolumes are filled. The VMI controller checks other claims."""
    namespace = vm["metadata"]["namespace"]
    data, _ = volume_names(vm["spec"]["template"]["spec"])
    for name in data:
        volume = shared.caches[names.DATA_VOLUME].get(namespace, name)
        if volume is None and shared.caches[names.CLAIM].get(namespace, name) is None:
            return False
        if volume is not None and volume.get("status", {}).get("phase") not in READY:
            return False
    return True


def printable(shared: Shared, vm: Obj) -> str:
    """The printable status of a stopped VM's volumes; "" if they are ready."""
    namespace = vm["metadata"]["namespace"]
    data, claims = volume_names(vm["spec"]["template"]["spec"])
    volumes = [shared.caches[names.DATA_VOLUME].get(namespace, name) for name in data]
    found = [shared.caches[names.CLAIM].get(namespace, name) for name in (*data, *claims)]
    missing = [name for name in claims if shared.caches[names.CLAIM].get(namespace, name) is None]
    if missing:
        return "ErrorPvcNotFound"
    if any(volume and volume.get("status", {}).get("phase") == "Failed" for volume in volumes):
        return "DataVolumeError"
    if any(volume and conditions.is_true(volume, "Bound") and not _is_filled(volume) for volume in volumes):
        return "Provisioning"
    unbound = [claim for claim in found if claim and claim.get("status", {}).get("phase") != "Bound"]
    waiting = [volume for volume in volumes if volume and not conditions.is_true(volume, "Bound")]
    return "WaitingForVolumeBinding" if unbound or waiting else ""


def _is_filled(volume: Obj) -> bool:
    return bool(volume.get("status", {}).get("phase") == "Succeeded")


def missing_claim(shared: Shared, vmi: Obj) -> str:
    """The VMI controller's message about the first missing claim; "" if all exist."""
    namespace = vmi["metadata"]["namespace"]
    data, claims = volume_names(vmi["spec"])
    for name in (*data, *claims):
        if shared.caches[names.CLAIM].get(namespace, name) is None:
            return f"PVC {namespace}/{name} does not exist, waiting for it to appear"
    return ""
