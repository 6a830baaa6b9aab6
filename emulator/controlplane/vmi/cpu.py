# SPDX-License-Identifier: Apache-2.0
"""The CPUs of a VMI: the launcher's memory overhead, and CPU hot-plug."""

from __future__ import annotations

from emulator.controlplane.accessors import Obj, is_migratable
from emulator.controlplane.profile import Profile
from emulator.kube import conditions

HOT_VCPU_CHANGE = "HotVCPUChange"
PARTS = ("cores", "sockets", "threads")
MIB_FOR_EACH_CPU = 8


def overhead_mib(vmi: Obj, profile: Profile) -> int:
    """Memory in MiB that the launcher needs besides the guest's; the profile's is that of a guest with one CPU."""
    cpus = 1
    cpu = vmi["spec"]["domain"].get("cpu") or {}
    for part in PARTS:
        cpus *= int(cpu.get(part) or 1)
    return profile.memory_overhead_mib + MIB_FOR_EACH_CPU * (cpus - 1)


def sockets_patch(vm: Obj, vmi: Obj) -> list[Obj]:
    """The JSON patch that copies a VM's changed number of sockets to its VMI; empty if there is nothing to copy."""
    cpu = vmi["spec"]["domain"].get("cpu") or {}
    wanted = (vm["spec"]["template"]["spec"].get("domain", {}).get("cpu") or {}).get("sockets")
    now, most = cpu.get("sockets"), cpu.get("maxSockets", 0)
    if not wanted or not now or wanted == now or wanted > most or not is_migratable(vmi):
        return []
    path = "/spec/domain/cpu/sockets"
    return [{"op": "test", "path": path, "value": now}, {"op": "replace", "path": path, "value": wanted}]


def sync_hot_change(vmi: Obj) -> None:
    """Sets HotVCPUChange on a VMI whose guest does not have the sockets of its spec yet; virt-handler removes it."""
    has = (vmi["status"].get("currentCPUTopology") or {}).get("sockets")
    if has and has != (vmi["spec"]["domain"].get("cpu") or {}).get("sockets", has):
        conditions.put(vmi, conditions.new(HOT_VCPU_CHANGE, "True"))
