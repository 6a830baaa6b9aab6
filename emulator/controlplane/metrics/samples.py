# SPDX-License-Identifier: Apache-2.0
"""The values of the metrics, computed from the objects as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.controlplane.accessors import Obj, by_name, interfaces, is_migratable, networks, phase
from emulator.controlplane.context import Shared
from emulator.kube.timestamps import parse_timestamp

CORE_BINDINGS = ("masquerade", "bridge", "sriov")
WAITING = {"": "unset", "Pending": "pending", "Scheduling": "scheduling"}
RUNNING = ("Scheduled", "PreparingTarget", "TargetReady", "Running")


@dataclass(frozen=True)
class Sample:
    """One line of the exposition: metric, labels, value."""

    metric: str
    labels: dict[str, str]
    value: float = 1.0


def samples(shared: Shared, *, leader: bool = True) -> Iterator[Sample]:
    """The samples that a virt-controller exposes; one that is not the leader watches no VMs and exposes none."""
    yield Sample("kubevirt_virt_controller_ready_status", {})
    yield Sample("kubevirt_virt_controller_leading_status", {}, float(leader))
    if not leader:
        return
    for vm in shared.vms.all():
        yield from _vnics(shared, "kubevirt_vm_vnic_info", vm, vm["spec"]["template"]["spec"])
    for vmi in shared.vmis.all():
        yield from _vnics(shared, "kubevirt_vmi_vnic_info", vmi, vmi["spec"])
        yield from _vmi(vmi)
    yield from _migrations(list(shared.migrations.all()))


def _identity(obj: Obj) -> dict[str, str]:
    return {"name": obj["metadata"]["name"], "namespace": obj["metadata"]["namespace"]}


def _vnics(shared: Shared, metric: str, obj: Obj, spec: Obj) -> Iterator[Sample]:
    shown = [_identity(obj) | labels for labels in _nics(spec)]
    for labels in shared.fault_points.apply("metrics.vnics", shown, metric=metric, obj=obj):
        yield Sample(metric, labels)


def _nics(spec: Obj) -> Iterator[dict[str, str]]:
    known = by_name(networks(spec))
    for nic in interfaces(spec):
        network = known.get(nic["name"])
        if network is None:
            continue
        plugin = (nic.get("binding") or {}).get("name")
        core = next((name for name in CORE_BINDINGS if nic.get(name) is not None), "")
        yield {
            "vnic_name": nic["name"],
            "binding_type": "plugin" if plugin else "core" if core else "",
            "network": network["multus"]["networkName"] if network.get("multus") else "pod networking",
            "binding_name": plugin or core,
            "model": nic.get("model") or "<none>",
        }


def _vmi(vmi: Obj) -> Iterator[Sample]:
    status = vmi.get("status", {})
    place = {"node": status.get("nodeName", ""), **_identity(vmi)}
    evictable = str(is_migratable(vmi)).lower()
    yield Sample("kubevirt_vmi_info", {**place, "phase": phase(vmi).lower(), "evictable": evictable})
    for nic in status.get("interfaces") or []:
        for address in nic.get("ipAddresses") or []:
            labels = {
                **place,
                "vnic_name": nic.get("name", ""),
                "interface_name": nic.get("interfaceName", ""),
                "address": address,
                "type": "ExternalInterface" if nic.get("name") else "SystemInterface",
            }
            yield Sample("kubevirt_vmi_status_addresses", labels)
    state = status.get("migrationState") or {}
    for moment in ("start", "end"):
        at = state.get(f"{moment}Timestamp")
        if at:
            ended = {"status": "failed" if state.get("failed") else "succeeded"} if moment == "end" else {}
            metric = f"kubevirt_vmi_migration_{moment}_time_seconds"
            yield Sample(metric, {**place, **ended}, parse_timestamp(at).timestamp())


def _migrations(migrations: list[Obj]) -> Iterator[Sample]:
    counts = dict.fromkeys((*WAITING.values(), "running"), 0)
    for migration in migrations:
        current = phase(migration)
        if current in WAITING:
            counts[WAITING[current]] += 1
        elif current in RUNNING:
            counts["running"] += 1
        else:
            meta = migration["metadata"]
            labels = {
                "vmi": migration["spec"].get("vmiName", ""),
                "vmim": meta["name"],
                "namespace": meta["namespace"],
            }
            yield Sample(f"kubevirt_vmi_migration_{current.lower()}", labels)
    for name, count in counts.items():
        yield Sample(f"kubevirt_vmi_migrations_in_{name}_phase", {}, count)
