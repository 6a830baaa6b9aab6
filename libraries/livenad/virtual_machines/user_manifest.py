# SPDX-License-Identifier: Apache-2.0
"""A VM from a manifest of the user: all its fields are kept, and only missing ones are added."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from livenad.api.kinds import VM, Object, dig
from livenad.api.status import nic_status
from livenad.errors import TestError
from livenad.model import Address, Nic, VmRecord
from livenad.ownership.labels import RUN_LABEL, VM_LABEL
from livenad.virtual_machines.manifests import POD_NIC, cloud_init_name, nic_interface, nic_network

_BY_THE_SERVER = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
"""Fields of the metadata that the API server sets: an exported VM has them, a new one must not."""

_GUEST_SETUP = ("cloudInitNoCloud", "cloudInitConfigDrive", "sysprep")
_OUR_DISK = "livenad-cloud-init"


def read_manifest(path: Path) -> Object:
    """The VirtualMachine of a YAML file. TestError for a file that cannot be read or has not exactly one VM."""
    try:
        documents = [item for item in yaml.safe_load_all(path.read_text(encoding="utf-8")) if item is not None]
    except OSError as error:
        raise TestError(f"manifest {path} cannot be read: {error.strerror}; expected a YAML file with a VM") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TestError(f"manifest {path} is not YAML: {' '.join(str(error).split())}") from None
    kinds = [str(item.get("kind") or "no kind") if isinstance(item, dict) else "no object" for item in documents]
    if kinds != [VM.name]:
        raise TestError(
            f"manifest {path} has {', '.join(kinds) or 'nothing'}; expected exactly one {VM.name}; create other "
            "objects beforehand, or leave them out"
        )
    manifest: Object = documents[0]
    if not isinstance(dig(manifest, "spec", "template", "spec", "domain"), dict):
        raise TestError(f"manifest {path}: its {VM.name} has no spec.template.spec.domain")
    return manifest


def sets_up_its_guest(manifest: Object) -> bool:
    """Whether a manifest has cloud-init data or an answer file."""
    volumes = dig(manifest, "spec", "template", "spec", "volumes", default=[]) or []
    return any(kind in volume for volume in volumes for kind in _GUEST_SETUP)


def complete_nics(
    manifest: Object,
    vm: str,
    *,
    mac: Callable[[str], str],
    network: Callable[[str], str],
    addresses: Mapping[str, tuple[Address, ...]],
) -> list[Nic]:
    """Add a MAC to each NIC of ``manifest`` that has none; returns the NICs in their order.

    A VM without any NIC gets one on the pod network, unless autoattachPodInterface is false. ``network`` returns the
    name on the cluster of a NAD that the manifest names. TestError for addresses of a NIC that does not exist.
    """
    spec = manifest["spec"]["template"]["spec"]
    devices = spec["domain"].setdefault("devices", {})
    interfaces = devices.get("interfaces") or []
    networks = spec.get("networks") or []
    if not interfaces and not networks and devices.get("autoattachPodInterface", True):
        nic = Nic(POD_NIC, mac(POD_NIC))
        interfaces, networks = [nic_interface(nic, "masquerade")], [nic_network(nic)]
    for interface in interfaces:
        interface.setdefault("macAddress", mac(str(interface.get("name"))))
    for entry in networks:
        if named := dig(entry, "multus", "networkName"):
            entry["multus"]["networkName"] = network(str(named))
    if interfaces:
        devices["interfaces"], spec["networks"] = interfaces, networks
    return with_addresses(vm, nics_of_spec(spec), addresses)


def nics_of_spec(spec: Object, vmi: Object | None = None) -> list[Nic]:
    """The NICs in the spec of a VMI or of a VM's template; a MAC that is not in the spec is read from the VMI."""
    networks = {str(entry.get("name")): entry for entry in spec.get("networks") or []}
    found = []
    for interface in dig(spec, "domain", "devices", "interfaces", default=[]) or []:
        if interface.get("state") == "absent":
            continue
        name = str(interface.get("name"))
        reported: Any = (nic_status(vmi, name) or {}).get("mac") if vmi else ""
        mac = str(interface.get("macAddress") or reported or "").replace("-", ":").lower()
        named = dig(networks.get(name, {}), "multus", "networkName")
        found.append(Nic(name, mac, None if named is None else str(named)))
    return found


def with_addresses(vm: str, nics: list[Nic], addresses: Mapping[str, tuple[Address, ...]]) -> list[Nic]:
    """The NICs with the addresses of their guests. TestError for a NIC that does not exist."""
    if unknown := [name for name in addresses if name not in {nic.name for nic in nics}]:
        there = ", ".join(nic.name for nic in nics) or "none"
        raise TestError(f'addresses are given for NIC "{unknown[0]}" of VM {vm}, which has no such NIC; NICs: {there}')
    return [replace(nic, addresses=addresses.get(nic.name, nic.addresses)) for nic in nics]


def manifest_to_create(record: VmRecord, run_id: str) -> Object:
    """The VM to create from a manifest: with labels of the run, NICs that were added, and cloud-init where needed."""
    body = copy.deepcopy(record.manifest)
    body.pop("status", None)
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key not in _BY_THE_SERVER}
    metadata.pop("generateName", None)
    body["metadata"] = {**metadata, "name": record.name, "namespace": record.namespace}
    template = body["spec"]["template"]
    marks = template.setdefault("metadata", {})
    marks["labels"] = {**(marks.get("labels") or {}), RUN_LABEL: run_id, VM_LABEL: record.name}
    spec = template["spec"]
    devices = spec["domain"].setdefault("devices", {})
    there = {interface.get("name") for interface in devices.get("interfaces") or []}
    for nic in record.nics:
        if nic.name not in there:
            devices["interfaces"] = [*(devices.get("interfaces") or []), nic_interface(nic, record.pod_binding)]
            spec["networks"] = [*(spec.get("networks") or []), nic_network(nic)]
    if record.guest_is_known:
        secret = {"name": cloud_init_name(record.name)}
        disk = {"name": _OUR_DISK, "disk": {"bus": "virtio"}}
        volume = {"name": _OUR_DISK, "cloudInitNoCloud": {"secretRef": secret, "networkDataSecretRef": secret}}
        devices["disks"] = [*(devices.get("disks") or []), disk]
        spec["volumes"] = [*(spec.get("volumes") or []), volume]
    return body


def starts_by_itself(manifest: Object) -> bool:
    """Whether a VM of this manifest runs as soon as it is created."""
    spec = manifest.get("spec") or {}
    strategy = spec.get("runStrategy")
    return bool(spec.get("running")) if strategy is None else strategy not in ("Halted", "Manual")


def learn_macs(record: VmRecord, vmi: Object | None) -> None:
    """Read MACs that are not in the spec of a VM from its VMI, where KubeVirt sets them."""
    reported = {nic.name: str((nic_status(vmi, nic.name) or {}).get("mac") or "").lower() for nic in record.nics if vmi}
    record.nics = [nic if nic.mac else replace(nic, mac=reported.get(nic.name, "")) for nic in record.nics]


def spec_of_existing(vm: Object, vmi: Object | None) -> Object:
    """The spec with the NICs of an existing VM: that of its VMI, else of its template."""
    return dict(vmi["spec"] if vmi else dig(vm, "spec", "template", "spec", default={}))
