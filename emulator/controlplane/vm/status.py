# SPDX-License-Identifier: Apache-2.0
"""The status of a VM: mirrored conditions, printableStatus, generations."""

from __future__ import annotations

from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, annotations_of, is_deleting, is_final, is_migrating, phase
from emulator.controlplane.vm.runstrategy import Action, asks_stop, next_action, requests, run_strategy
from emulator.controlplane.vm.startfailure import seconds_to_wait
from emulator.kube import conditions

# Conditions of the VM's own; all others mirror the VMI's.
OWN = (names.RESTART_REQUIRED, "Failure")
NOT_SNAPSHOTTED = "Snapshot is not supported for this volumeSource type [{name}]"


def snapshot_statuses(vm: Obj) -> list[Obj]:
    volumes = vm["spec"]["template"]["spec"].get("volumes") or []
    return [
        {"enabled": False, "name": volume["name"], "reason": NOT_SNAPSHOTTED.format(name=volume["name"])}
        for volume in volumes
    ]


def sync_status(
    vm: Obj, vmi: Obj | None, *, restart_required: bool | None, failure: Obj | None, volumes: str = ""
) -> None:
    """Updates ``vm["status"]`` in place; ``restart_required`` None leaves that condition as it is.

    ``volumes`` is the printable status of the volumes while the VM does not run.
    """
    status = vm.setdefault("status", {})
    if vmi is None:
        status.pop("created", None)
        status.pop("ready", None)
    else:
        status["created"] = True
        status["runStrategy"] = run_strategy(vm)
        ready = conditions.is_true(vmi, "Ready")
        status.pop("ready", None)
        if ready:
            status["ready"] = True
        status["desiredGeneration"] = vm["metadata"]["generation"]
        status["observedGeneration"] = int(annotations_of(vmi).get(names.VM_GENERATION, 0))
    _sync_conditions(vm, vmi, restart_required, failure)
    _trim_requests(vm, vmi)
    # This cluster has no snapshots, so a reference to one is removed.
    status.pop("snapshotInProgress", None)
    status["printableStatus"] = printable_status(vm, vmi, volumes)
    if status.get("conditions") == []:
        del status["conditions"]


def _sync_conditions(vm: Obj, vmi: Obj | None, restart_required: bool | None, failure: Obj | None) -> None:
    source = (vmi or {}).get("status", {}).get("conditions") or []
    mirrored = {c["type"]: c for c in source if c["type"] not in OWN}
    if "Ready" not in mirrored:
        mirrored = {"Ready": _missing_ready(vmi)} | mirrored
    known = vm["status"].get("conditions") or []
    if vmi is None:
        # Without a VMI there is nothing to mirror: the conditions of the last one stay, except for Ready.
        mirrored = {condition["type"]: condition for condition in known if condition["type"] not in OWN} | mirrored
    kept = []
    for condition in known:
        if condition["type"] in OWN:
            kept.append(condition)
        elif condition["type"] in mirrored:
            new = mirrored.pop(condition["type"])
            same = all(new.get(k) == condition.get(k) for k in ("status", "reason", "message"))
            kept.append(condition if same else new)
    vm["status"]["conditions"] = kept + list(mirrored.values())
    if restart_required:
        message = "a non-live-updatable field was changed in the template spec"
        conditions.put(vm, conditions.new(names.RESTART_REQUIRED, "True", message=message))
    elif restart_required is False:
        conditions.remove(vm, names.RESTART_REQUIRED)
    if failure is not None:
        conditions.put(vm, failure)
    else:
        conditions.remove(vm, "Failure")


def _missing_ready(vmi: Obj | None) -> Obj:
    if vmi is None:
        reason, message = "VMINotExists", "VMI does not exist"
    else:
        reason, message = "VMIConditionMissing", "VMI is missing the Ready condition"
    return conditions.new("Ready", "False", reason=reason, message=message, probed=True)


def _trim_requests(vm: Obj, vmi: Obj | None) -> None:
    """Removes fulfilled requests: a stop of a VMI that is gone, a start once there is a VMI."""
    pending = requests(vm)
    if pending and pending[0]["action"] == "Stop":
        if vmi is not None and pending[0].get("uid") == vmi["metadata"]["uid"]:
            return
        pending = pending[1:]
    if pending and pending[0]["action"] == "Start" and vmi is not None:
        pending = pending[1:]
    if pending:
        vm["status"]["stateChangeRequests"] = pending
    else:
        vm["status"].pop("stateChangeRequests", None)


def printable_status(vm: Obj, vmi: Obj | None, volumes: str = "") -> str:
    """The first status that matches, in KubeVirt's order."""
    if is_deleting(vm):
        return "Terminating"
    if vmi is None:
        if next_action(vm, None) is Action.START:
            return volumes or "Starting"
        if volumes == "Provisioning":
            return volumes
        return "CrashLoopBackOff" if seconds_to_wait(vm) and run_strategy(vm) != "Halted" else "Stopped"
    scheduled = conditions.find(vmi, "PodScheduled") or {}
    synchronized = str((conditions.find(vmi, "Synchronized") or {}).get("reason", ""))
    checks = (
        (is_final(vmi), "Stopped"),
        (is_deleting(vmi) or asks_stop(vm, vmi), "Stopping"),
        (is_migrating(vmi), "Migrating"),
        (conditions.is_true(vmi, "Paused"), "Paused"),
        (phase(vmi) == "Running", "Running"),
        (scheduled.get("reason") == "Unschedulable", "ErrorUnschedulable"),
        (bool(volumes), volumes),
        (synchronized in ("ErrImagePull", "ImagePullBackOff"), synchronized),
        (phase(vmi) in ("", "Pending", "Scheduling", "Scheduled"), "Starting"),
    )
    return next((text for fits, text in checks if fits), "Unknown")
