# SPDX-License-Identifier: Apache-2.0
"""The names of a launcher pod's interfaces, and its networks annotation for Multus."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from emulator.controlplane.accessors import by_name, interfaces, is_absent, is_secondary, networks

Obj = dict[str, Any]
PRIMARY = "eth0"


def pod_interface(network: str) -> str:
    """``pod`` and 11 hexadecimal digits of a hash of the network's name in the VM, whatever its NAD."""
    return "pod" + hashlib.sha256(network.encode()).hexdigest()[:11]


def split_nad(network_name: str, namespace: str) -> tuple[str, str]:
    """(namespace, name) of a networkName; without a slash it is in the VMI's namespace."""
    if "/" in network_name:
        space, name = network_name.split("/", 1)
        return space, name
    return namespace, network_name


def wanted_attachments(vmi: Obj) -> list[Obj]:
    """One entry per secondary network of the VMI that is not to be unplugged, in the order of its spec."""
    nics = by_name(interfaces(vmi["spec"]))
    found = []
    for network in networks(vmi["spec"]):
        nic = nics.get(network["name"])
        if not is_secondary(network) or nic is None or is_absent(nic):
            continue
        namespace, name = split_nad(network["multus"]["networkName"], vmi["metadata"]["namespace"])
        entry = {"name": name, "namespace": namespace}
        if nic.get("macAddress"):
            entry["mac"] = nic["macAddress"]
        found.append(entry | {"interface": pod_interface(network["name"])})
    return found


def networks_annotation(attachments: list[Obj]) -> str:
    """The value of ``k8s.v1.cni.cncf.io/networks``; "" for none."""
    return json.dumps(attachments, separators=(",", ":")) if attachments else ""


def default_network(vmi: Obj) -> str:
    """The networkName of the Multus default network, or ""."""
    for network in networks(vmi["spec"]):
        multus = network.get("multus") or {}
        if multus.get("default"):
            return str(multus["networkName"])
    return ""


def uses_masquerade(vmi: Obj) -> bool:
    return any("masquerade" in nic for nic in interfaces(vmi["spec"]))
