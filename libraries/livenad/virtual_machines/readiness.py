# SPDX-License-Identifier: Apache-2.0
"""Which conditions, NICs and addresses a VM still needs to be ready. Pure functions of the history."""

from __future__ import annotations

from livenad.api.history import History
from livenad.api.kinds import VMI, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.status import FINAL_PHASES, condition, condition_text, is_true, nic_status, phase_of, vm_summary
from livenad.changes import Change
from livenad.foreign_migrations import own_migrations
from livenad.model import VmRecord


def is_ready(history: History, record: VmRecord) -> bool:
    """Whether nothing is missing until a VM is ready for a test."""
    vmi = history.current(VMI, record.name)
    return vmi is not None and phase_of(vmi) == "Running" and not missing_to_ready(history, record)


def missing_to_ready(history: History, record: VmRecord) -> list[str]:
    """What is missing until a VM is ready for a test; empty when it is ready."""
    vmi = history.current(VMI, record.name)
    if vmi is None or phase_of(vmi) != "Running":
        return [vm_summary(history, record.name)]
    awaited = ("Ready", "AgentConnected") if record.guest_is_known else ("Ready",)
    missing = [condition_text(vmi, type_) for type_ in awaited if not is_true(vmi, type_)]
    expected = record.can_migrate if record.origin == "suite" else is_true(vmi, "LiveMigratable")
    if is_true(vmi, "LiveMigratable") != expected or condition(vmi, "LiveMigratable") is None:
        missing.append(condition_text(vmi, "LiveMigratable") + ("" if expected else ", expected False"))
    for nic in record.nics:
        status = nic_status(vmi, nic.name) or {}
        reported = status.get("ipAddresses") or ([status["ipAddress"]] if status.get("ipAddress") else [])
        if not status or (nic.network is None and not reported):
            missing.append(f'NIC "{nic.name}" is {"without address" if status else "not reported"}')
        # Without the guest agent the VMI does not report the addresses of the guest.
        agent = record.guest_is_known or is_true(vmi, "AgentConnected")
        wanted = [str(address.ip) for address in nic.addresses] if agent else []
        if absent := [address for address in wanted if address not in reported]:
            missing.append(f'NIC "{nic.name}" has {reported or "no address"}, expected {", ".join(absent)} as well')
    return missing


def missing_after(history: History, record: VmRecord, change: Change) -> list[str]:
    """What is missing until a requested start, stop, restart or migration is done."""
    vmi = history.current(VMI, record.name)
    if change.action == "stop":
        return [] if vmi is None else [vm_summary(history, record.name)]
    if change.action == "migrate":
        found = own_migrations(history, change).values()
        running = [
            f"{meta(item, 'name')} is {phase_text(history, item)}"
            for item in found
            if phase_of(item) not in FINAL_PHASES
        ]
        return (["no migration object was made"] if not found else running) or missing_to_ready(history, record)
    if vmi is not None and meta(vmi, "uid") == change.vmi_uid:
        return ["the VMI is the same as before"]
    return missing_to_ready(history, record)
