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
    created: CreatedResources, vms: VirtualMachines, record: VmRecord, settings: Settings, affinity: Object | None
) -> None:
    """Create a VM, which runs at once where its manifest says no other. Raises ApiError when it is refused."""
    if record.guest_is_known:
        data = user_data(record.name, record.login, vms.user_key, vms.host_key(record.name))
        created.create(SECRET, cloud_init_secret(record, data, network_data(record.nics)))
    if record.origin == "manifest":
        manifest = manifest_to_create(record, created.run_id)
    else:
        manifest = vm_manifest(record, created.run_id, settings.vm_image, settings.vm_memory)
    if affinity:
        manifest["spec"]["template"]["spec"].setdefault("affinity", affinity)
    created.create(VM, manifest)
    vms.mark_started(record.name)
