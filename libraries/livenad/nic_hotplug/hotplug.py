# SPDX-License-Identifier: Apache-2.0
"""Hot-plug and hot-unplug of a NIC: the edit of the VM's spec."""

from __future__ import annotations

from livenad.api.client import Cluster
from livenad.api.kinds import Object
from livenad.errors import TestError
from livenad.model import Nic, VmRecord
from livenad.network_change.edit import edit_vm
from livenad.nic_hotplug.hotplug_facts import in_spec, interfaces_of, template_of
from livenad.virtual_machines.manifests import nic_interface, nic_network

ABSENT = "absent"
_INTERFACES = "/spec/template/spec/domain/devices/interfaces"


def put_nic(client: Cluster, record: VmRecord, nic: Nic) -> Object:
    """Add a NIC to a VM's spec; returns the stored VM and updates ``record``. Raises as `edit_vm`."""

    def operations(spec: Object) -> list[Object]:
        networks, interfaces = spec.get("networks") or [], interfaces_of(spec)
        return [
            {"op": "test", "path": "/spec/template/spec/networks", "value": networks},
            {"op": "add", "path": "/spec/template/spec/networks/-", "value": nic_network(nic)},
            {"op": "test", "path": _INTERFACES, "value": interfaces},
            {"op": "add", "path": f"{_INTERFACES}/-", "value": nic_interface(nic, record.pod_binding)},
        ]

    def done(vm: Object) -> bool:
        # A former NIC of that name may not be removed yet.
        interface = in_spec(template_of(vm), nic.name)
        return bool(interface) and interface.get("state") != ABSENT

    stored = edit_vm(client, record, operations, done)
    record.nics = [*record.nics, nic]
    return stored


def mark_absent(client: Cluster, record: VmRecord, nic: Nic) -> Object:
    """Mark a NIC absent in a VM's spec, which unplugs it; otherwise like `put_nic`."""

    def operations(spec: Object) -> list[Object]:
        position = next((i for i, card in enumerate(interfaces_of(spec)) if card.get("name") == nic.name), None)
        if position is None:
            raise TestError(f'VM {record.namespace}/{record.name} has no interface "{nic.name}" in its spec')
        return [
            {"op": "test", "path": f"{_INTERFACES}/{position}/name", "value": nic.name},
            {"op": "add", "path": f"{_INTERFACES}/{position}/state", "value": ABSENT},
        ]

    def done(vm: Object) -> bool:
        # The patch is made only where the interface is there: the cluster removes what was marked.
        interface = in_spec(template_of(vm), nic.name)
        return not interface or interface.get("state") == ABSENT

    stored = edit_vm(client, record, operations, done)
    record.nics = [one for one in record.nics if one.name != nic.name]
    return stored
