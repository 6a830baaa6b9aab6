# SPDX-License-Identifier: Apache-2.0
"""What kubelet, Multus and virt-handler say of pods, guests and nodes, for the one that plays them."""

from __future__ import annotations

import json
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import interfaces, is_secondary, networks
from emulator.controlplane.network.pod_interfaces import pod_interface
from emulator.kube import conditions

Obj = dict[str, Any]


def asked(pod: Obj) -> list[Obj]:
    return list(json.loads(pod["metadata"]["annotations"].get(names.NETWORKS) or "[]"))


def report(vmi: Obj) -> None:
    """What virt-handler reports of the guest's NICs."""
    reported = []
    for index, net in enumerate(networks(vmi["spec"])):
        secondary = is_secondary(net)
        reported.append(
            {
                "name": net["name"],
                "interfaceName": f"eth{index}",
                "podInterfaceName": pod_interface(net["name"]) if secondary else "eth0",
                "mac": f"02:00:00:00:01:{index:02x}",
                "infoSource": "domain, guest-agent" + (", multus-status" if secondary else ""),
                "linkState": "up",
                "queueCount": 1,
            }
        )
        if not secondary:
            reported[-1] |= {"ipAddress": "10.244.0.9", "ipAddresses": ["10.244.0.9"]}
    vmi["status"]["interfaces"] = reported


def plugged(now: list[Obj], wanted: list[Obj]) -> Obj:
    """Multus' report on a pod's networks as a patch: interfaces that are there stay as they are."""
    default = {"name": "k8s-pod-network", "interface": "eth0", "ips": ["10.244.0.9"], "default": True, "dns": {}}
    there = {net["interface"]: net for net in now}
    status = [there.get("eth0", default)]
    for net in wanted:
        fresh = {"name": f"{net['namespace']}/{net['name']}", "interface": net["interface"], "dns": {}}
        status.append(there.get(net["interface"], fresh | {"mac": "02:00:00:00:00:01"}))
    return {"metadata": {"annotations": {names.NETWORK_STATUS: json.dumps(status, indent=4)}}}


def follow(vmi: Obj) -> bool:
    """virt-handler follows the VMI's spec and pod. True: something changed."""
    changed = unplug(vmi)
    for entry in vmi["status"].get("interfaces") or []:
        nic = next((nic for nic in interfaces(vmi["spec"]) if nic["name"] == entry.get("name")), {})
        if entry.get("infoSource") == "multus-status" and nic.get("state") != "absent":
            entry["infoSource"] = "domain, guest-agent, multus-status"
            changed = True
    return changed


def unplug(vmi: Obj) -> bool:
    """A NIC marked absent leaves the domain at once, and the report once no pod interface carries it. True: changed."""
    absent = {nic["name"] for nic in interfaces(vmi["spec"]) if nic.get("state") == "absent"}
    kept, changed = [], False
    for entry in vmi["status"].get("interfaces") or []:
        if entry.get("name") in absent:
            sources = entry.pop("infoSource", "")
            changed = changed or "domain" in sources or not sources
            if not sources:
                continue
            if "multus-status" in sources:
                entry["infoSource"] = "multus-status"
        kept.append(entry)
    vmi["status"]["interfaces"] = kept
    return changed


def node(name: str) -> Obj:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubevirt.io/schedulable": "true",
        "machine-type.node.kubevirt.io/q35": "true",
        "cpu-vendor.node.kubevirt.io/Intel": "true",
        "host-model-cpu.node.kubevirt.io/Skylake-Client": "true",
        "cpu-model-migration.node.kubevirt.io/Skylake-Client": "true",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {},
        "status": {"conditions": [conditions.new("Ready", "True")]},
    }
