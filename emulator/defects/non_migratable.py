# SPDX-License-Identifier: Apache-2.0
"""VMs that cannot migrate."""

from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable, networks
from ..controlplane.network.evaluator import Need
from ..controlplane.vm import runstrategy
from ..fault_points import Defect
from ..kube.client import Obj
from ..kube.conditions import is_true
from ..nodeagent.spec_sync import Action, SpecSync


def _only_if_migratable(answer: bool, *, vmi: Obj, **_: Any) -> bool:
    return answer and is_migratable(vmi)


NON_MIGRATABLE_VM_EDIT_UNNOTICED = Defect(
    name="non-migratable-vm-edit-unnoticed",
    sentence="The edit of a VM that cannot be live-migrated is passed over in silence: no condition says that it is "
    "not in effect.",
    rows=("R15",),
    point="vm.copy_nad",
    change=_only_if_migratable,
    also=(("vm.restart_required", _only_if_migratable),),
)


_plugged: set[tuple[str, str]] = set()


async def _plug(now: SpecSync) -> None:
    """Joins what carries an edited NIC with its new network, as found at the pods that are on it already."""
    namespace = now.vmi["metadata"]["namespace"]
    known = {
        (attachment.namespace, attachment.name): attachment.segment
        for sandbox in now.sandboxes.values()
        for attachment in sandbox.attachments
    }
    mine = {attachment.interface: attachment for attachment in now.sandbox.attachments}
    for network in networks(now.vmi["spec"]):
        attachment = mine.get(now.pod_interfaces.get(network["name"], ""))
        wanted = (network.get("multus") or {}).get("networkName", "")
        if attachment is None or wanted == attachment.name or (namespace, wanted) not in known:
            continue
        if (now.sandbox.uid, wanted) not in _plugged:
            _plugged.add((now.sandbox.uid, wanted))
            await now.dataplane.join(now.sandbox.uid, attachment.interface, known[namespace, wanted])


def _where_it_is(actions: list[Action], *, vmi: Obj, **_: Any) -> list[Action]:
    return actions if is_migratable(vmi) else [*actions, _plug]


NON_MIGRATABLE_VM_MOVED_IN_PLACE = Defect(
    name="non-migratable-vm-moved-in-place",
    sentence="When the network of a VM that cannot be live-migrated is edited, its running pod is plugged into the new "
    "network without a migration.",
    rows=("R15",),
    point="agent.after_spec_sync",
    change=_where_it_is,
)


_said: set[str] = set()


def _said_once(need: Need, *, vmi: Obj, **_: Any) -> Need:
    if is_migratable(vmi):
        return need
    if is_true(vmi, "MigrationRequired"):
        _said.add(vmi["metadata"]["uid"])
    return Need.NONE if vmi["metadata"]["uid"] in _said else need


NON_MIGRATABLE_VM_PRETENDED = Defect(
    name="non-migratable-vm-pretended",
    sentence="MigrationRequired of a VM that cannot be live-migrated goes away as if the VM had been moved.",
    rows=("R15",),
    point="vmi.migration_required",
    change=_said_once,
)


def _stop_if_edited(action: runstrategy.Action, *, vm: Obj, vmi: Obj | None, **_: Any) -> runstrategy.Action:
    if action is not runstrategy.Action.NONE or vmi is None or vmi.get("status", {}).get("phase") != "Running":
        return action
    edited = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
    return runstrategy.Action.STOP if edited and not is_migratable(vmi) else action


NON_MIGRATABLE_VM_RESTARTED = Defect(
    name="non-migratable-vm-restarted",
    sentence="A VM that cannot be live-migrated is restarted at once when its network is edited.",
    rows=("R15", "R19"),
    point="vm.action",
    change=_stop_if_edited,
)
