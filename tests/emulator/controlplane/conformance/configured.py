# SPDX-License-Identifier: Apache-2.0
"""Flows of one edit under different settings of the cluster, and of VMs that cannot migrate (yet)."""

from __future__ import annotations

from emulator.kube import conditions
from tests.emulator.controlplane.lab import Lab

from .acts import methods, migrate, restart, shown, succeeded, synced, told

NOT_SHARED = (
    "cannot migrate VMI: PVC lab-pvc is not shared, live migration requires that all PVCs must be shared "
    "(using ReadWriteMany access mode)"
)
NOT_MASQUERADE = (
    "cannot migrate VMI which does not use masquerade, bridge with "
    "kubevirt.io/allow-pod-bridge-network-live-migration VM annotation "
    "or a migratable plugin to connect to the pod network"
)
BY_DISK = conditions.new("LiveMigratable", "False", reason="DisksNotLiveMigratable", message=NOT_SHARED)
BY_BINDING = conditions.new("LiveMigratable", "False", reason="InterfaceNotLiveMigratable", message=NOT_MASQUERADE)


async def basic(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap("nad-b")
    await succeeded(lab)


async def again(lab: Lab) -> None:
    await lab.running_vm()
    for count, nad in enumerate(("nad-b", "nad-c", "nad-a"), 1):
        await lab.swap(nad)
        await succeeded(lab, count)


async def default_gates(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "RestartRequired")
    await lab.quiet(20)
    await lab.swap("nad-a")
    await told(lab)
    await lab.quiet(6)
    await lab.swap("nad-b")
    await told(lab, "RestartRequired")
    await lab.quiet(4)
    await restart(lab)


async def gate_listed(lab: Lab) -> None:
    await lab.configure({"configuration": {"developerConfiguration": {"featureGates": ["LiveUpdateNADRef"]}}})
    await basic(lab)
    await lab.configure({"configuration": {"developerConfiguration": {"featureGates": []}}})
    await lab.quiet(15)


async def gate_disabled(lab: Lab) -> None:
    await lab.configure({"configuration": {"developerConfiguration": {"disabledFeatureGates": ["LiveUpdateNADRef"]}}})
    await basic(lab)
    await lab.configure({"configuration": {"developerConfiguration": {"disabledFeatureGates": None}}})
    await lab.quiet(15)


async def stage(lab: Lab) -> None:
    await lab.configure({"configuration": {"vmRolloutStrategy": "Stage"}})
    await basic(lab)
    await lab.configure({"configuration": {"vmRolloutStrategy": "LiveUpdate"}})
    await lab.quiet(15)


async def no_methods(lab: Lab) -> None:
    await methods(lab)
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "MigrationRequired")
    await lab.quiet(25)
    await migrate(lab)
    await succeeded(lab)
    await methods(lab, "LiveMigrate")
    await lab.quiet(15)


async def methods_later(lab: Lab) -> None:
    await methods(lab)
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "MigrationRequired")
    await lab.quiet(12)
    await methods(lab, "LiveMigrate")
    await succeeded(lab)
    await lab.quiet(15)


async def evict(lab: Lab) -> None:
    await methods(lab, "Evict")
    first = await lab.running_vm()
    await lab.swap("nad-b")

    def replaced() -> bool:
        vmis = lab.all_of("VirtualMachineInstance")
        return len(vmis) == 2 and bool((lab.last("VirtualMachine") or first)["status"].get("ready"))

    await lab.until("the VM was replaced", replaced)
    await lab.quiet(5)
    await methods(lab, "LiveMigrate")
    await lab.quiet(15)


async def not_migratable(lab: Lab) -> None:
    expected = _signal(lab)
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, expected)
    await lab.quiet(20)
    await lab.swap("nad-a")
    await told(lab)
    await lab.quiet(5)
    await lab.swap("nad-b")
    await told(lab, expected)
    await lab.quiet(5)
    await restart(lab)


async def pod_network_bridged(lab: Lab) -> None:
    await lab.running_vm(pod_network="bridge")
    await lab.swap("nad-b")
    await told(lab, _signal(lab))
    await lab.quiet(20)


async def becomes_migratable(lab: Lab) -> None:
    lab.agent.may_be_migratable.clear()
    await lab.create_vm()
    await shown(lab, "Running")
    await lab.swap("nad-b")
    await told(lab, _signal(lab))
    await lab.quiet(15)
    lab.agent.may_be_migratable.set()
    await succeeded(lab)


async def starting(lab: Lab) -> None:
    lab.agent.may_start_pods.clear()
    lab.agent.may_run.clear()
    await lab.create_vm()
    await _in_phase(lab, "Scheduling")
    await lab.swap("nad-b")
    if lab.plane.shared.profile.asks_migratable:
        await told(lab, "RestartRequired")
    else:
        await synced(lab, "nad-b")
    lab.agent.may_start_pods.set()
    await _in_phase(lab, "Scheduled")
    await lab.quiet(2)
    lab.agent.may_run.set()
    await succeeded(lab)


async def never_running(lab: Lab) -> None:
    lab.agent.may_run.clear()
    await lab.create_vm()
    await _in_phase(lab, "Scheduled")
    await lab.quiet(30)
    await lab.swap("nad-b")
    await told(lab, "RestartRequired")
    await lab.quiet(30)


async def stopped(lab: Lab) -> None:
    await lab.create_vm(run_strategy="Halted")
    await lab.until("it is known", lambda: conditions.find(lab.last("VirtualMachine") or {}, "Ready") is not None)
    await lab.quiet(3)
    await lab.swap("nad-b")
    await lab.quiet(5)
    await lab.patch_vm({"spec": {"runStrategy": "Always"}})
    await lab.until("it runs", lambda: bool((lab.last("VirtualMachine") or {}).get("status", {}).get("ready")))
    await lab.quiet(5)


def _signal(lab: Lab) -> str:
    return "RestartRequired" if lab.plane.shared.profile.asks_migratable else "MigrationRequired"


async def _in_phase(lab: Lab, phase: str) -> None:
    def reached() -> bool:
        vmi, vm = lab.last("VirtualMachineInstance") or {}, lab.last("VirtualMachine") or {}
        return bool(vmi.get("status", {}).get("phase") == phase and vm["status"].get("observedGeneration") == 1)

    await lab.until(f"the VMI is {phase}", reached)
