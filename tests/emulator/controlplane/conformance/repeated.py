# SPDX-License-Identifier: Apache-2.0
"""Flows in which the network changes again, or the migration does not go as wished."""

from __future__ import annotations

import asyncio

import pytest

from emulator.controlplane import names
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from tests.emulator.controlplane.lab import NAMESPACE, Lab, nad

from .acts import ask_restart, ended, gone, migrate, moving, reached, ready, restarted_from, succeeded, synced, told

UNSCHEDULABLE, SCHEDULABLE = ({"spec": {"unschedulable": value}} for value in (True, None))
HELD_SLOTS = {"configuration": {"migrations": {"parallelOutboundMigrationsPerNode": 0}}}
FREE_SLOTS = {"configuration": {"migrations": {"parallelOutboundMigrationsPerNode": 20}}}


async def missing_made_later(lab: Lab) -> None:
    await _swap_to_missing(lab)
    await lab.quiet(60)
    await lab.client.create(names.NAD, nad("nad-missing"))
    lab.agent.missing_nads.clear()
    await succeeded(lab)


async def missing_reverted(lab: Lab) -> None:
    await _swap_to_missing(lab)
    await lab.quiet(15)
    # With the NAD found, the pod would be up in a moment here; the recorded one took longer than the abort.
    lab.agent.may_start_pods.clear()
    await lab.swap("nad-a")
    await gone(lab)
    await lab.quiet(20)


async def missing_then_other(lab: Lab) -> None:
    await _swap_to_missing(lab)
    await lab.quiet(10)
    await lab.swap("nad-b")
    await synced(lab, "nad-b")
    await lab.quiet(60)


async def missing_for_good(lab: Lab) -> None:
    await _swap_to_missing(lab)
    await lab.quiet(60)


async def reverted_before_migration(lab: Lab) -> None:
    """After one second. Whether a migration is there by then is chance: the updater looks every five seconds."""
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "MigrationRequired")
    await lab.quiet(1)
    await lab.swap("nad-a")
    await told(lab)
    await lab.quiet(25)


async def reverted_while_pending(lab: Lab) -> None:
    """The updater was due within a second; other VMs' migrations held the slots."""
    await lab.running_vm()
    await lab.configure(HELD_SLOTS)
    await lab.quiet(4)
    await lab.swap("nad-b")
    await reached(lab, "Pending")
    await lab.swap("nad-a")
    await gone(lab)
    await lab.quiet(15)


async def reverted_while_scheduling(lab: Lab) -> None:
    """The updater was due within a second, as always some seconds after a change of the cluster's settings."""
    await lab.running_vm()
    lab.agent.may_start_pods.clear()
    lab.agent.may_finish.clear()
    await lab.configure(FREE_SLOTS)
    await lab.quiet(4)
    await lab.swap("nad-b")
    await reached(lab, "Scheduling")
    await lab.swap("nad-a")
    await told(lab)
    # The recorded pod was up before the updater looked at the edit that was taken back.
    lab.agent.haste = 0.05
    lab.agent.may_start_pods.set()
    await gone(lab)
    await lab.quiet(20)


async def reverted_while_running(lab: Lab) -> None:
    await _edit_while_running(lab, "nad-a")
    await _lose_the_race(lab)
    await lab.quiet(30)


async def third_while_running(lab: Lab) -> None:
    await _edit_while_running(lab, "nad-c")
    await _lose_the_race(lab)
    await lab.quiet(30)


async def third_without_gap(lab: Lab) -> None:
    await _edit_while_running(lab, "nad-c", gap=False)
    await succeeded(lab, 2)


async def stuck_then_back(lab: Lab) -> None:
    await _edit_while_running(lab, "nad-c")
    await _lose_the_race(lab)
    await lab.quiet(25)
    await lab.swap("nad-b")
    await succeeded(lab)
    lab.agent.gap = None
    await lab.swap("nad-c")
    await succeeded(lab, 2)


async def stuck_then_deleted(lab: Lab) -> None:
    await _edit_while_running(lab, "nad-c")
    await _lose_the_race(lab)
    await lab.quiet(25)
    await lab.client.delete(names.MIGRATION, lab.migrations()[0]["metadata"]["name"], NAMESPACE)
    await lab.quiet(30)


async def stuck_then_migrated(lab: Lab) -> None:
    await _edit_while_running(lab, "nad-c")
    await _lose_the_race(lab)
    await lab.quiet(25)
    with pytest.raises(ApiError, match="in-flight migration detected"):
        await migrate(lab)
    await lab.quiet(20)


async def third_at_once(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap("nad-b")
    await told(lab, "MigrationRequired")
    await lab.quiet(1)
    await lab.swap("nad-c")
    await succeeded(lab)


async def fails(lab: Lab) -> None:
    lab.agent.fail_migrations = True
    await lab.running_vm()
    await lab.swap("nad-b")
    # The recording ends before the second attempt's back-off is over.
    await lab.until("the second attempt waits", lambda: bool(lab.events("MigrationBackoff")))


async def deleted(lab: Lab) -> None:
    """The next migration waited for a slot that another VM's migration held, to the end of the recording."""
    lab.agent.may_finish.clear()
    await lab.running_vm()
    await lab.swap("nad-b")
    await reached(lab, "Running")
    await lab.quiet(1)
    await lab.configure(HELD_SLOTS)
    await lab.client.delete(names.MIGRATION, lab.migrations()[0]["metadata"]["name"], NAMESPACE)
    await reached(lab, "Pending", 1)
    await lab.quiet(10)


async def restarted(lab: Lab) -> None:
    await lab.running_vm()
    lab.agent.may_start_pods.clear()
    await lab.swap("nad-b")
    await reached(lab, "Scheduling")
    uid = await ask_restart(lab)
    await lab.until("the old VMI is gone", lambda: len(lab.all_of("VirtualMachineInstance")) == 2)
    lab.agent.may_start_pods.set()
    await restarted_from(lab, uid)
    await lab.quiet(15)


async def stopped_while_pending(lab: Lab) -> None:
    """Named for a stop while the copy runs; other VMs' migrations kept this one in Pending."""
    await lab.running_vm()
    await lab.configure(HELD_SLOTS)
    await lab.swap("nad-b")
    await reached(lab, "Pending")
    await lab.quiet(5)
    await lab.patch_vm({"spec": {"runStrategy": "Halted"}})
    await gone(lab)
    await lab.until("the VMI is gone", lambda: lab.last("VirtualMachineInstance") is None)
    await lab.quiet(5)


async def waits_then_runs(lab: Lab) -> None:
    """Pausing failed in the recording, which ends while the copy runs."""
    lab.agent.may_finish.clear()
    await lab.running_vm()
    await lab.swap("nad-b")
    await reached(lab, "Running")
    await lab.quiet(2)


async def batch(lab: Lab) -> None:
    """Six VMs, two more than a node may send at a time, one more than the cluster may."""
    vms = [f"vm{number}" for number in range(1, 7)]
    for name in vms:
        await lab.create_vm(name)
    await lab.until("all are ready", lambda: all(ready(lab, name) for name in vms))
    await lab.quiet(3)
    for name in vms:
        await lab.swap("nad-b", name)

    def done() -> bool:
        finished = [m for m in lab.migrations() if m.get("status", {}).get("phase") == "Succeeded"]
        settled = [name for name in vms if ready(lab, name) and not moving(lab, name)]
        return len(finished) == len(settled) == 6 and not any(m["metadata"].get("finalizers") for m in finished)

    await lab.until("six migrations succeeded", done)
    await lab.quiet(5)


async def unschedulable(lab: Lab) -> None:
    await lab.running_vm()
    vmi = lab.last("VirtualMachineInstance")
    assert vmi is not None
    for number in (1, 2, 3):
        await lab.client.patch(names.NODES, f"node{number}", None, UNSCHEDULABLE)
    await lab.swap("nad-b")
    await reached(lab, "Scheduling")
    await lab.quiet(40)
    home = vmi["status"]["nodeName"]
    other = next(name for name in ("node1", "node2", "node3") if name != home)
    await lab.client.patch(names.NODES, home, None, SCHEDULABLE)
    await lab.until("the scheduler looked again", lambda: len(lab.events("FailedScheduling")) == 2)
    await lab.client.patch(names.NODES, other, None, SCHEDULABLE)
    await succeeded(lab)


async def _swap_to_missing(lab: Lab) -> None:
    lab.agent.missing_nads.add(f"{NAMESPACE}/nad-missing")
    await lab.running_vm()
    await lab.swap("nad-missing")
    await reached(lab, "Pending" if lab.plane.shared.settings.reads_nads else "Scheduling")


async def _edit_while_running(lab: Lab, nad: str, gap: bool = True) -> None:
    lab.agent.gap = asyncio.Event() if gap else None
    lab.agent.may_finish.clear()
    await lab.running_vm()
    await lab.swap("nad-b")
    await reached(lab, "Running")
    await lab.quiet(2)
    await lab.swap(nad)
    await synced(lab, nad)
    lab.agent.may_finish.set()


async def _lose_the_race(lab: Lab) -> None:
    """The real controllers may lose it; it is lost on purpose here, by the agent's gap and the fault point."""
    assert lab.agent.gap is not None

    def asked() -> bool:
        vmi = lab.last("VirtualMachineInstance") or {}
        end = (vmi.get("status", {}).get("migrationState") or {}).get("endTimestamp")
        return bool(end) and conditions.is_true(vmi, "MigrationRequired")

    await lab.until("the VMI asks for the next migration", asked)
    lab.agent.gap.set()
    await ended(lab)
