"""The recorded flows, played again on the embedded control plane: the same acts in the same states."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from emulator.controlplane import conditions, names

from .lab import NAMESPACE, Lab, nad

Flow = Callable[[Lab], Awaitable[None]]
NIC = "/spec/template/spec/networks/1/multus/networkName"
NOT_SHARED = (
    "cannot migrate VMI: PVC lab-pvc is not shared, live migration requires that all PVCs must be shared "
    "(using ReadWriteMany access mode)"
)
NOT_MIGRATABLE = conditions.new("LiveMigratable", "False", reason="DisksNotLiveMigratable", message=NOT_SHARED)


async def succeeded(lab: Lab, count: int = 1) -> None:
    """Until so many migrations have ended well and everything that follows has happened."""

    def done() -> bool:
        ended = [m for m in lab.migrations() if m.get("status", {}).get("phase") == "Succeeded"]
        vm = lab.last("VirtualMachine") or {}
        vmi = lab.last("VirtualMachineInstance") or {}
        settled = names.TARGET_NODE_NAME not in (vmi.get("metadata", {}).get("labels") or {})
        ready = bool(vm.get("status", {}).get("ready"))
        return len([m for m in ended if not m["metadata"].get("finalizers")]) >= count and ready and settled

    await lab.until(f"{count} migrations succeeded", done)
    await lab.quiet(8)


async def told(lab: Lab, *kinds: str) -> None:
    """Until the VM carries exactly these of the two conditions that a change of network can bring."""

    def same() -> bool:
        vm = lab.last("VirtualMachine") or {}
        return [k for k in ("MigrationRequired", "RestartRequired") if conditions.is_true(vm, k)] == sorted(kinds)

    await lab.until(f"the VM is told {kinds}", same)


async def reached(lab: Lab, phase: str, number: int = 0) -> None:
    """Until a migration object is in a phase."""

    def same() -> bool:
        found = lab.migrations()
        return len(found) > number and found[number].get("status", {}).get("phase") == phase

    await lab.until(f"migration {number} is {phase}", same)


async def synced(lab: Lab, network: str) -> None:
    """Until the VMI's spec names a network."""

    def same() -> bool:
        vmi = lab.last("VirtualMachineInstance") or {}
        return network in [net.get("multus", {}).get("networkName") for net in vmi["spec"]["networks"]]

    await lab.until(f"the VMI is to be on {network}", same)


async def restart(lab: Lab) -> None:
    """What virt-api writes for ``virtctl restart``, and the wait for the new VMI."""
    old = lab.last("VirtualMachineInstance")
    assert old is not None
    uid = old["metadata"]["uid"]
    wanted = [{"action": "Stop", "uid": uid}, {"action": "Start"}]
    status = {"status": {"stateChangeRequests": wanted}}
    await lab.client.patch(names.VM, "vm1", NAMESPACE, status, subresource="status")

    def again() -> bool:
        vmi, vm = lab.last("VirtualMachineInstance"), lab.last("VirtualMachine")
        fresh = vmi is not None and vmi["metadata"]["uid"] != uid
        return fresh and vm is not None and bool(vm["status"].get("ready"))

    await lab.until("the VM runs again", again)
    await lab.quiet(5)


async def basic(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap("nad-b")
    await succeeded(lab)


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
    await restart(lab)


async def no_methods(lab: Lab) -> None:
    await lab.configure({"workloadUpdateStrategy": {"workloadUpdateMethods": []}})
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "MigrationRequired")
    await lab.quiet(30)
    manual = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"generateName": "kubevirt-migrate-vm-", "namespace": NAMESPACE},
        "spec": {"vmiName": "vm1"},
    }
    await lab.client.create(names.MIGRATION, manual)
    await succeeded(lab)


async def evict(lab: Lab) -> None:
    await lab.configure({"workloadUpdateStrategy": {"workloadUpdateMethods": ["Evict"]}})
    first = await lab.running_vm()
    await lab.swap("nad-b")

    def replaced() -> bool:
        vmis = lab.all_of("VirtualMachineInstance")
        return len(vmis) == 2 and bool((lab.last("VirtualMachine") or first)["status"].get("ready"))

    await lab.until("the VM runs anew", replaced)
    await lab.quiet(5)


async def stage(lab: Lab) -> None:
    await lab.configure({"configuration": {"vmRolloutStrategy": "Stage"}})
    await basic(lab)


async def not_migratable(lab: Lab) -> None:
    expected = "RestartRequired" if lab.plane.shared.profile.asks_migratable else "MigrationRequired"
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


async def with_cores(lab: Lab) -> None:
    await lab.running_vm()
    cores = {"op": "replace", "path": "/spec/template/spec/domain/cpu/cores", "value": 2}
    await lab.patch_vm([{"op": "replace", "path": NIC, "value": "nad-b"}, cores])
    await succeeded(lab)
    await restart(lab)


async def third_before_migration(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "MigrationRequired")
    await lab.swap("nad-c")
    await succeeded(lab)


async def missing_nad_made_later(lab: Lab) -> None:
    lab.agent.missing_nads.add(f"{NAMESPACE}/nad-missing")
    await lab.running_vm()
    await lab.swap("nad-missing")
    await reached(lab, "Scheduling")
    await lab.quiet(60)
    await lab.client.create(names.NAD, nad("nad-missing"))
    lab.agent.missing_nads.clear()
    await succeeded(lab)


async def missing_nad_reverted(lab: Lab) -> None:
    lab.agent.missing_nads.add(f"{NAMESPACE}/nad-missing")
    await lab.running_vm()
    # A pod of a NAD that exists would be up in a moment here, where the recorded one took longer than the abort.
    lab.agent.may_start_pods.clear()
    await lab.swap("nad-missing")
    await reached(lab, "Pending" if lab.plane.shared.settings.reads_nads else "Scheduling")
    await lab.quiet(5)
    await lab.swap("nad-a")
    await lab.until("it is gone", lambda: lab.last("VirtualMachineInstanceMigration") is None)
    await lab.quiet(20)


async def stopped(lab: Lab) -> None:
    await lab.create_vm(run_strategy="Halted")
    await lab.until("it is known", lambda: conditions.find(lab.last("VirtualMachine") or {}, "Ready") is not None)
    await lab.swap("nad-b")
    await lab.quiet(5)
    await lab.patch_vm({"spec": {"runStrategy": "Always"}})
    await lab.until("it runs", lambda: bool((lab.last("VirtualMachine") or {}).get("status", {}).get("ready")))
    await lab.quiet(5)


async def same_nad_qualified(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap(f"{NAMESPACE}/nad-a")
    await synced(lab, f"{NAMESPACE}/nad-a")
    await lab.quiet(15)
    await lab.swap("nad-a")
    await synced(lab, "nad-a")
    await lab.quiet(5)


async def migration_fails(lab: Lab) -> None:
    lab.agent.fail_migrations = True
    await lab.running_vm()
    await lab.swap("nad-b")
    # The recording ends before the second attempt's back-off is over.
    await lab.until("the second attempt waits", lambda: bool(lab.events("MigrationBackoff")))


async def migration_deleted(lab: Lab) -> None:
    lab.agent.may_finish.clear()
    await lab.running_vm()
    await lab.swap("nad-b")
    await reached(lab, "Running")
    await lab.client.delete(names.MIGRATION, lab.migrations()[0]["metadata"]["name"], NAMESPACE)
    await reached(lab, "Pending", 1)
    await lab.quiet(2)


async def two_networks(lab: Lab) -> None:
    await lab.running_vm(nads=("nad-a", "nad-b"))
    await lab.patch_vm(
        [
            {"op": "replace", "path": NIC, "value": "nad-b"},
            {"op": "replace", "path": NIC.replace("/1/", "/2/"), "value": "nad-c"},
        ]
    )
    await succeeded(lab)


async def before_migratable(lab: Lab) -> None:
    lab.agent.may_be_migratable.clear()
    await lab.create_vm()
    await lab.until(
        "it runs", lambda: (lab.last("VirtualMachineInstance") or {}).get("status", {}).get("phase") == "Running"
    )
    await lab.swap("nad-b")
    if lab.plane.shared.profile.asks_migratable:
        await told(lab, "RestartRequired")
    else:
        await told(lab, "MigrationRequired")
    await lab.quiet(15)
    lab.agent.may_be_migratable.set()
    await succeeded(lab)


async def before_running(lab: Lab) -> None:
    lab.agent.may_run.clear()
    await lab.create_vm()

    def scheduled() -> bool:
        vmi, vm = lab.last("VirtualMachineInstance") or {}, lab.last("VirtualMachine") or {}
        reached = vmi.get("status", {}).get("phase") == "Scheduled"
        return bool(reached and vm["status"].get("observedGeneration") == 1)

    await lab.until("it is scheduled", scheduled)
    await lab.quiet(5)
    await lab.swap("nad-b")
    await told(lab, "RestartRequired")
    await lab.quiet(30)


async def third_while_running(lab: Lab) -> None:
    """The race that the real controllers may lose: lost on purpose here, by the agent's gap and the decision."""
    lab.agent.gap = asyncio.Event()
    lab.agent.may_finish.clear()
    await lab.running_vm()
    await lab.swap("nad-b")
    await reached(lab, "Running")
    await lab.swap("nad-c")
    await synced(lab, "nad-c")
    lab.agent.may_finish.set()

    def asked() -> bool:
        vmi = lab.last("VirtualMachineInstance") or {}
        ended = (vmi.get("status", {}).get("migrationState") or {}).get("endTimestamp")
        return bool(ended) and conditions.is_true(vmi, "MigrationRequired")

    await lab.until("the VMI asks for the next migration", asked)
    lab.agent.gap.set()
    await lab.quiet(40)
