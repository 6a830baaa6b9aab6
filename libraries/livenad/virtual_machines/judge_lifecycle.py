# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the lifecycle of a VM: restarted, or not. Each returns what it saw, or raises ProductFault."""

from __future__ import annotations

from livenad.api.history import DELETED, History
from livenad.api.kinds import VMI, dig, meta
from livenad.api.status import (
    condition_text,
    is_true,
    phase_of,
    vm_summary,
)
from livenad.changes import Change, NetworkChange
from livenad.errors import LabError, NotReached, ProductFault
from livenad.text import human


def judge_new_instance(history: History, change: Change) -> str:
    """The VM runs with another VMI than before the change."""
    vmi = history.current(VMI, change.vm)
    if vmi is None or meta(vmi, "uid") == change.vmi_uid or phase_of(vmi) != "Running":
        same = "" if vmi is None or meta(vmi, "uid") != change.vmi_uid else "the VMI is the same as before, "
        raise NotReached(
            f"{change.subject}: expected to run as a new VMI after {change.what}; "
            f"{human(history.now - change.at)} later "
            f"{same}{vm_summary(history, change.vm)}"
        )
    return (
        f"{change.subject}: runs as VMI {meta(vmi, 'uid')}, before {change.what} it was {change.vmi_uid or 'stopped'}"
    )


def judge_not_restarted(history: History, change: NetworkChange) -> str:
    """The VMI is the same as before the edit, was always Running, was never deleted, and is not paused."""
    title = change.subject
    _require_vmi(change)
    for record in history.records(VMI, change.vm, change.index):
        when = human(record.at - change.at)
        if record.type == DELETED or record.uid != change.vmi_uid:
            what = "was deleted" if record.type == DELETED else f"was replaced by {record.uid}"
            raise ProductFault(
                f"{title}: expected to keep running without a restart; VMI {change.vmi_uid} {what} {when} "
                "after the edit"
            )
        if phase_of(record.object) != "Running":
            raise ProductFault(
                f"{title}: expected VMI phase Running all the time; it was {phase_of(record.object)} {when} "
                "after the edit"
            )
    vmi = history.current(VMI, change.vm)
    if vmi is None:
        raise ProductFault(f"{title}: expected to keep running without a restart; its VMI {change.vmi_uid} is gone")
    if is_true(vmi, "Paused"):
        raise ProductFault(
            f"{title}: expected its guest to keep running; the VMI is paused: {condition_text(vmi, 'Paused')}"
        )
    now = {
        "metadata.creationTimestamp": (change.created, meta(vmi, "creationTimestamp")),
        "spec.domain.firmware.uuid": (change.firmware_uuid, str(dig(vmi, "spec", "domain", "firmware", "uuid") or "")),
        "status.virtualMachineRevisionName": (
            change.revision,
            str(dig(vmi, "status", "virtualMachineRevisionName") or ""),
        ),
    }
    for path, (old, new) in now.items():
        if old != new:
            raise ProductFault(f'{title}: expected VMI {path} to stay "{old}" during the swap; it is "{new}"')
    return f"{title}: VMI {change.vmi_uid} since {change.created}, Running all the time"


def judge_started_once(history: History, change: NetworkChange) -> str:
    """The VMI that was starting at the edit is Running now, and its phase never went back."""
    title = f"VM {change.namespace}/{change.vm}"
    order = ("", "Pending", "Scheduling", "Scheduled", "Running")
    reached = 0
    _require_vmi(change)
    for record in history.records(VMI, change.vm, change.index):
        when = f"{human(record.at - change.at)} after the edit"
        if record.type == DELETED or record.uid != change.vmi_uid:
            what = "was deleted" if record.type == DELETED else f"was replaced by {record.uid}"
            raise ProductFault(
                f"{title}: expected the VMI that was starting to keep running; VMI {change.vmi_uid} {what} {when}"
            )
        phase = phase_of(record.object)
        if phase not in order or order.index(phase) < reached:
            raise ProductFault(
                f"{title}: expected the VMI to reach phase Running and stay there; it was {phase} {when}, after "
                f"{order[reached]}"
            )
        reached = order.index(phase)
    vmi = history.current(VMI, change.vm)
    if vmi is None or order[reached] != "Running":
        raise NotReached(f"{title}: expected to run; its VMI is {order[reached] if vmi else 'gone'}")
    return f"{title}: VMI {change.vmi_uid} since it was starting"


def judge_same_instance(history: History, change: Change) -> str:
    """Since before the change: the same VMI, Running all the time, and it exists now."""
    _require_vmi(change)
    for record in history.records(VMI, change.vm, change.index):
        when = human(record.at - change.at)
        if record.type == DELETED or record.uid != change.vmi_uid or phase_of(record.object) != "Running":
            raise ProductFault(
                f"{change.subject}: expected VMI {change.vmi_uid} to keep running after {change.what}; {when} later "
                f"VMI {record.uid} "
                f"{'was deleted' if record.type == DELETED else 'was ' + (phase_of(record.object) or 'new')}"
            )
    if history.current(VMI, change.vm) is None:
        raise ProductFault(f"{change.subject}: expected VMI {change.vmi_uid} to keep running; it is gone")
    lasted = human(history.now - change.at)
    return f"{change.subject}: VMI {change.vmi_uid} has kept running for {lasted} since {change.what}"


def judge_ran_on(history: History, seen: Change) -> str:
    """Since it was first seen running: the same VMI, always Running, and its guest runs now."""
    said = judge_same_instance(history, seen)
    vmi = history.current(VMI, seen.vm) or {}
    if is_true(vmi, "Paused"):
        raise ProductFault(
            f"{seen.subject}: expected its guest to keep running; the VMI is paused: {condition_text(vmi, 'Paused')}"
        )
    return said


def _require_vmi(change: Change) -> None:
    """Raise LabError for a VM that had no VMI at the change: none can be kept."""
    if not change.vmi_uid:
        raise LabError(f"{change.subject} had no VMI before {change.what}, so nothing is proven; start the VM first")
