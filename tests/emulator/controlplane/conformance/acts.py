# SPDX-License-Identifier: Apache-2.0
"""The words of the flows: what the recordings' driver did and waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from emulator.controlplane import names
from emulator.kube import conditions
from tests.emulator.controlplane.lab import NAMESPACE, Lab

Flow = Callable[[Lab], Awaitable[None]]
TEMPLATE = "/spec/template/spec"
NIC = f"{TEMPLATE}/networks/1/multus/networkName"
CARD = f"{TEMPLATE}/domain/devices/interfaces"
CORES = {"op": "replace", "path": f"{TEMPLATE}/domain/cpu/cores", "value": 2}


async def succeeded(lab: Lab, count: int = 1) -> None:
    """Waits until ``count`` migrations have succeeded and everything that follows has happened."""

    def done() -> bool:
        ended = [m for m in lab.migrations() if m.get("status", {}).get("phase") == "Succeeded"]
        settled = ready(lab, "vm1") and not moving(lab, "vm1")
        return len([m for m in ended if not m["metadata"].get("finalizers")]) >= count and settled

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
    """As ``virtctl restart``, and the wait for the new VMI."""
    await restarted_from(lab, await ask_restart(lab))


async def ask_restart(lab: Lab) -> str:
    """What virt-api writes for ``virtctl restart``; answers the uid of the VMI that is to go."""
    old = lab.last("VirtualMachineInstance")
    assert old is not None
    uid = str(old["metadata"]["uid"])
    wanted = [{"action": "Stop", "uid": uid}, {"action": "Start"}]
    status = {"status": {"stateChangeRequests": wanted}}
    await lab.client.patch(names.VM, "vm1", NAMESPACE, status, subresource="status")
    return uid


async def restarted_from(lab: Lab, uid: str) -> None:
    """Until another VMI than this one is up."""

    def again() -> bool:
        vmi, vm = lab.last("VirtualMachineInstance"), lab.last("VirtualMachine")
        fresh = vmi is not None and vmi["metadata"]["uid"] != uid
        return fresh and vm is not None and bool(vm["status"].get("ready"))

    await lab.until("the VM runs again", again)
    await lab.quiet(5)


def ready(lab: Lab, name: str) -> bool:
    return bool((lab.last("VirtualMachine", name) or {}).get("status", {}).get("ready"))


def moving(lab: Lab, name: str) -> bool:
    vmi = lab.last("VirtualMachineInstance", name) or {}
    return names.TARGET_NODE_NAME in (vmi.get("metadata", {}).get("labels") or {})


async def shown(lab: Lab, status: str) -> None:
    """Until the VM's printableStatus is so."""

    def same() -> bool:
        return bool((lab.last("VirtualMachine") or {}).get("status", {}).get("printableStatus") == status)

    await lab.until(f"the VM is {status}", same)


async def ended(lab: Lab) -> None:
    """Until virt-handler has called the VMI's migration completed."""

    def same() -> bool:
        vmi = lab.last("VirtualMachineInstance") or {}
        return bool((vmi.get("status", {}).get("migrationState") or {}).get("completed"))

    await lab.until("the migration is completed", same)


async def gone(lab: Lab) -> None:
    await lab.until("the migration is gone", lambda: lab.last("VirtualMachineInstanceMigration") is None)


async def migrate(lab: Lab) -> None:
    """What virt-api makes for ``virtctl migrate``."""
    manual = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"generateName": "kubevirt-migrate-vm-", "namespace": NAMESPACE},
        "spec": {"vmiName": "vm1"},
    }
    await lab.client.create(names.MIGRATION, manual)


async def methods(lab: Lab, *wanted: str) -> None:
    await lab.configure({"workloadUpdateStrategy": {"workloadUpdateMethods": list(wanted)}})


def network(name: str, nad: str) -> dict[str, Any]:
    return {"name": name, "multus": {"networkName": nad}}


def replaced(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def added(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


TO_B = replaced(NIC, "nad-b")
PLUG_NET2 = [
    added(f"{TEMPLATE}/networks/-", network("net2", "nad-c")),
    added(f"{CARD}/-", {"name": "net2", "bridge": {}}),
]
UNPLUG_NET1 = added(f"{CARD}/1/state", "absent")
