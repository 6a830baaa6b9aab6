# SPDX-License-Identifier: Apache-2.0
"""virt-controller's writes to the VMI for a migration: the hand-off to virt-handler, and the abort request."""

from __future__ import annotations

from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj
from emulator.controlplane.settings import Settings
from emulator.controlplane.vmi.cpu import overhead_mib
from emulator.kube.timestamps import timestamp


def handed_off(vmi: Obj, migration: Obj, source: Obj | None, target: Obj, settings: Settings) -> Obj:
    """The VMI with the migration state that tells both virt-handlers what to do."""
    new: Obj = clone(vmi)
    node = target["spec"]["nodeName"]
    profile = settings.profile
    state: Obj = {
        "migrationConfiguration": settings.migrations,
        "migrationUid": migration["metadata"]["uid"],
        "sourceNode": vmi["status"]["nodeName"],
        "sourcePod": source["metadata"]["name"] if source else "",
        "targetNode": node,
        "targetPod": target["metadata"]["name"],
    }
    if profile.max_downtime:
        state["targetMemoryOverhead"] = f"{overhead_mib(vmi, profile)}Mi"
    new["status"]["migrationState"] = dict(sorted(state.items()))
    new["metadata"].setdefault("labels", {})[names.TARGET_NODE_NAME] = node
    return new


def abort_requested(vmi: Obj) -> Obj:
    new: Obj = clone(vmi)
    new["status"]["migrationState"]["abortRequested"] = True
    return new


def target_down(vmi: Obj) -> Obj:
    """The migration state after the target pod died before the hand-off."""
    new: Obj = clone(vmi)
    new["status"]["migrationState"] |= {"failed": True, "completed": True, "endTimestamp": timestamp()}
    return new
