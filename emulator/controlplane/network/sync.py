# SPDX-License-Identifier: Apache-2.0
"""The parts of a VM's networks that are copied to its running VMI: hot-plug, unplug, link state, NAD references."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane.accessors import by_name, interfaces, is_absent, networks

Obj = dict[str, Any]


def synced(
    vm: Obj, vmi: Obj, *, copy_nad: bool, plug: bool = True, copy_interfaces: bool = False
) -> tuple[list[Obj], list[Obj]]:
    """(networks, interfaces) that the VMI should have; equal to its own if there is nothing to copy.

    ``plug``: whether new NICs are copied; ``copy_interfaces``: whether interfaces are copied whole.
    """
    template = vm["spec"]["template"]["spec"]
    wanted_nics, wanted_networks = by_name(interfaces(template)), by_name(networks(template))
    nics, nets = clone(interfaces(vmi["spec"])), clone(networks(vmi["spec"]))

    for nic in nics:
        wanted_nic = wanted_nics.get(nic["name"])
        if copy_interfaces and wanted_nic is not None:
            nic.clear()
            nic.update(clone(wanted_nic))
        _copy_state(nic, wanted_nic)
    known = {nic["name"] for nic in nics}
    for name, nic in wanted_nics.items():
        network = wanted_networks.get(name)
        if plug and name not in known and network is not None and _can_be_plugged(nic, network):
            nics.append(clone(nic))
            nets.append(clone(network))
    gone = detached(vmi)
    nics = [nic for nic in nics if nic["name"] not in gone]
    nets = [net for net in nets if net["name"] not in gone]
    if copy_nad:
        for net in nets:
            wanted = wanted_networks.get(net["name"])
            if wanted is not None and net.get("multus") and wanted.get("multus"):
                net["multus"]["networkName"] = wanted["multus"]["networkName"]
    return nets, nics


def detached(vmi: Obj) -> set[str]:
    """NICs marked absent that the guest no longer has."""
    reported = {i.get("name") for i in vmi.get("status", {}).get("interfaces") or []}
    started = vmi.get("status", {}).get("phase") == "Running"
    absent = {nic["name"] for nic in interfaces(vmi["spec"]) if is_absent(nic)}
    return {name for name in absent if started and name not in reported}


def patch_of(vmi: Obj, nets: list[Obj], nics: list[Obj]) -> list[Obj]:
    """The JSON patch that virt-controller sends; empty if nothing changes."""
    patch: list[Obj] = []
    if nets != networks(vmi["spec"]):
        patch += [
            {"op": "test", "path": "/spec/networks", "value": networks(vmi["spec"])},
            {"op": "add", "path": "/spec/networks", "value": nets},
        ]
    if nics != interfaces(vmi["spec"]):
        path = "/spec/domain/devices/interfaces"
        patch += [
            {"op": "test", "path": path, "value": interfaces(vmi["spec"])},
            {"op": "add", "path": path, "value": nics},
        ]
    return patch


def without(vm: Obj, names: set[str]) -> Obj:
    """The VM with these NICs and their networks taken out of its template."""
    changed: Obj = clone(vm)
    template = changed["spec"]["template"]["spec"]
    template["networks"] = [n for n in networks(template) if n["name"] not in names]
    devices = template["domain"]["devices"]
    devices["interfaces"] = [c for c in interfaces(template) if c["name"] not in names]
    return changed


def _copy_state(nic: Obj, wanted: Obj | None) -> None:
    if wanted is None or wanted.get("state") == nic.get("state"):
        return
    if wanted.get("state"):
        nic["state"] = wanted["state"]
    else:
        nic.pop("state", None)


def _can_be_plugged(nic: Obj, network: Obj) -> bool:
    return not is_absent(nic) and bool(network.get("multus")) and ("bridge" in nic or "sriov" in nic)
