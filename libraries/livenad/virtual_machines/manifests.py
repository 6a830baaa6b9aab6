# SPDX-License-Identifier: Apache-2.0
"""Manifests of the objects that the libraries create."""

from __future__ import annotations

import hashlib

from livenad.api.kinds import NAMESPACE, VM, Object
from livenad.model import Nic, VmRecord
from livenad.ownership.labels import RUN_LABEL, VM_LABEL

POD_NIC = "default"
"""Name of the NIC on the pod network, the first one of each VM that has it."""


def nic_mac(run_id: str, vm: str, nic: str) -> str:
    """A locally administered unicast MAC that is unique across NICs and runs."""
    digest = hashlib.sha256(f"{run_id}/{vm}/{nic}".encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))


def pod_interface_name(nic: str) -> str:
    """Name of the launcher pod's interface behind a NIC: KubeVirt derives it from the network's name in the VM spec."""
    return "pod" + hashlib.sha256(nic.encode()).hexdigest()[:11]


def namespace_manifest(name: str, run_id: str) -> Object:
    """A namespace in which launcher pods may run."""
    return {
        "apiVersion": NAMESPACE.api_version,
        "kind": NAMESPACE.name,
        "metadata": {
            "name": name,
            "labels": {RUN_LABEL: run_id, "pod-security.kubernetes.io/enforce": "privileged"},
        },
    }


def cloud_init_secret(vm: VmRecord, user_data: str, network_data: str) -> Object:
    """The Secret with a VM's cloud-init data: inline it would be too long, and readable in each copy of the VM."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": cloud_init_name(vm.name), "namespace": vm.namespace},
        "type": "Opaque",
        "stringData": {"userdata": user_data, "networkdata": network_data},
    }


def cloud_init_name(vm: str) -> str:
    """Name of a VM's cloud-init Secret."""
    return f"{vm}-cloud-init"


def vm_manifest(vm: VmRecord, run_id: str, image: str, memory: str) -> Object:
    """A VM that boots a container disk at once, with the record's NICs in their order.

    ``image`` and ``memory`` are the defaults of the record's.
    """
    image, memory = vm.image or image, vm.memory or memory
    secret = {"name": cloud_init_name(vm.name)}
    manifest: Object = {
        "apiVersion": VM.api_version,
        "kind": VM.name,
        "metadata": {"name": vm.name, "namespace": vm.namespace},
        "spec": {
            "runStrategy": "Always",
            "template": {
                "metadata": {"labels": {RUN_LABEL: run_id, VM_LABEL: vm.name}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "domain": {
                        "cpu": {"cores": vm.cpu_cores},
                        "memory": {"guest": memory},
                        "devices": {
                            "disks": [
                                {"name": "rootdisk", "disk": {"bus": "virtio"}},
                                {"name": "cloudinit", "disk": {"bus": "virtio"}},
                            ],
                            "interfaces": [nic_interface(nic, vm.pod_binding) for nic in vm.nics],
                            "rng": {},
                        },
                        "resources": {"requests": {"memory": memory}},
                    },
                    "networks": [nic_network(nic) for nic in vm.nics],
                    "volumes": [
                        {"name": "rootdisk", "containerDisk": {"image": image}},
                        {
                            "name": "cloudinit",
                            "cloudInitNoCloud": {"secretRef": secret, "networkDataSecretRef": secret},
                        },
                    ],
                },
            },
        },
    }
    if vm.eviction_strategy:
        manifest["spec"]["template"]["spec"]["evictionStrategy"] = vm.eviction_strategy
    if vm.storage_class is not None:
        _add_volume(manifest, f"{vm.name}-one-node", vm.storage_class)
    return manifest


def _add_volume(manifest: Object, name: str, storage_class: str) -> None:
    """A blank disk that only one node can mount. CDI creates it, and it is deleted with its VM."""
    storage: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}
    if storage_class:
        storage["storageClassName"] = storage_class
    spec = manifest["spec"]
    spec["dataVolumeTemplates"] = [{"metadata": {"name": name}, "spec": {"source": {"blank": {}}, "storage": storage}}]
    inside = spec["template"]["spec"]
    inside["domain"]["devices"]["disks"].append({"name": "one-node", "disk": {"bus": "virtio"}})
    inside["volumes"].append({"name": "one-node", "dataVolume": {"name": name}})


def nic_interface(nic: Nic, pod_binding: str) -> Object:
    """A NIC's entry under ``domain.devices.interfaces``; ``pod_binding`` is for the pod network."""
    binding = pod_binding if nic.network is None else "bridge"
    return {"name": nic.name, binding: {}, "macAddress": nic.mac, "model": "virtio"}


def nic_network(nic: Nic) -> Object:
    """A NIC's entry under ``networks``."""
    source: Object = {"pod": {}} if nic.network is None else {"multus": {"networkName": nic.network}}
    return {"name": nic.name, **source}
