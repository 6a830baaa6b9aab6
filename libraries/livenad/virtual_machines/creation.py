# SPDX-License-Identifier: Apache-2.0
"""The creation of a VM that a suite defined, with the Secret of its cloud-init data."""

from __future__ import annotations

from livenad.api.kinds import SECRET, VM, Object
from livenad.model import VmRecord
from livenad.ownership.created_resources import CreatedResources
from livenad.settings import Settings
from livenad.virtual_machines.cloud_init import network_data, user_data
from livenad.virtual_machines.manifests import cloud_init_secret, vm_manifest
from livenad.virtual_machines.registry import VirtualMachines
from livenad.virtual_machines.user_manifest import manifest_to_create


def create_vm(
    created: CreatedResources,
    vms: VirtualMachines,
    record: VmRecord,
    settings: Settings,
    affinity: Object | None,
    *,
    ipv6_only: bool = False,
) -> None:
    """Create a VM, which starts at once unless its manifest says otherwise. ApiError when it is rejected.

    ``ipv6_only``: pods have no IPv4 addresses.
    """
    if record.guest_is_known:
        data = user_data(record.name, record.login, vms.user_key, vms.host_key(record.name))
        network = network_data(record.nics, ipv6_only=ipv6_only and record.pod_binding == "masquerade")
        created.create(SECRET, cloud_init_secret(record, data, network))
    if record.origin == "manifest":
        manifest = manifest_to_create(record, created.run_id)
    else:
        manifest = vm_manifest(record, created.run_id, settings.vm_image, settings.vm_memory)
    there = manifest["spec"]["template"]["spec"].get("affinity") or {}
    if affinity or there:
        manifest["spec"]["template"]["spec"]["affinity"] = {**(affinity or {}), **there}
    created.create(VM, manifest)
    vms.mark_started(record.name)
