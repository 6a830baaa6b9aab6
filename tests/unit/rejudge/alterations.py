# SPDX-License-Identifier: Apache-2.0
"""What may be otherwise in a recording, from some state on: fields that verdicts read, and objects that go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from tests.unit.support.flows import Object, State

VM, VMI, MIGRATION, POD = (
    "VirtualMachine",
    "VirtualMachineInstance",
    "VirtualMachineInstanceMigration",
    "Pod",
)
Alter = Callable[[Object], None]
WHEN = (0.35, 0.6, 0.9)
"""Shares of the states of a kind after which it is so."""


def field(*path: str, value: Any = None) -> Alter:
    """Set a field, or remove it; a step such as ``name=net1`` is an entry of a list."""

    def alter(item: Object) -> None:
        here: Any = item
        for step in path[:-1]:
            key, _, wanted = step.partition("=")
            if wanted:
                here = next((one for one in here if one.get(key) == wanted), {}) if isinstance(here, list) else {}
            else:
                here = here.setdefault(step, {}) if isinstance(here, dict) else {}
        if value is None:
            here.pop(path[-1], None)
        else:
            here[path[-1]] = value

    return alter


def condition(type_: str, status: str) -> Alter:
    """Set a condition, or remove it by ""."""

    def alter(item: Object) -> None:
        kept = [one for one in item.setdefault("status", {}).get("conditions", []) if one["type"] != type_]
        item["status"]["conditions"] = kept + ([{"type": type_, "status": status, "reason": "R"}] if status else [])

    return alter


STATE, NIC = ("status", "migrationState"), ("status", "interfaces", "name=net1")
EVACUATION = "kubevirt.io/evacuationMigration"
ALTERATIONS: dict[str, tuple[str, Alter]] = {
    **{
        f"VMI is {phase}": (VMI, field("status", "phase", value=phase))
        for phase in ("Failed", "Succeeded", "Scheduled")
    },
    "VMI is another": (VMI, field("metadata", "uid", value="another")),
    "VMI is on another node": (VMI, field("status", "nodeName", value="node9")),
    "VMI is on its first node": (VMI, field("status", "nodeName", value="node1")),
    "VMI is on another network": (VMI, field("spec", "networks", "name=net1", "multus", "networkName", value="nad-x")),
    "VMI was not created then": (VMI, field("metadata", "creationTimestamp", value="2020-01-01T00:00:00Z")),
    "VMI has other firmware": (VMI, field("spec", "domain", "firmware", "uuid", value="other")),
    "VMI is of another revision": (VMI, field("status", "virtualMachineRevisionName", value="other")),
    "migration is not complete": (VMI, field(*STATE, "completed")),
    "migration of the VMI failed": (VMI, field(*STATE, "failed", value=True)),
    "migration of the VMI is another": (VMI, field(*STATE, "migrationUid", value="other")),
    "VMI has no migration": (VMI, field(*STATE)),
    "migration required": (VMI, condition("MigrationRequired", "True")),
    "migration not required": (VMI, condition("MigrationRequired", "")),
    "migration required is false": (VMI, condition("MigrationRequired", "False")),
    "not migratable": (VMI, condition("LiveMigratable", "False")),
    "paused": (VMI, condition("Paused", "True")),
    "evicted": (VMI, field("status", "evacuationNodeName", value="node1")),
    "eviction requested": (VMI, condition("EvictionRequested", "True")),
    **{f"NIC has another {key}": (VMI, field(*NIC, key, value="x")) for key in ("mac", "interfaceName", "linkState")},
    "NIC is not reported": (VMI, field("status", "interfaces", value=[])),
    "VM requires a restart": (VM, condition("RestartRequired", "True")),
    "VM has migration required": (VM, condition("MigrationRequired", "True")),
    "VM was edited again": (VM, field("metadata", "generation", value=99)),
    "VM is not ready": (VM, condition("Ready", "False")),
    **{
        f"migration is {phase}": (MIGRATION, field("status", "phase", value=phase))
        for phase in ("Failed", "Running", "")
    },
    "migration by hand": (MIGRATION, field("metadata", "annotations", value={"none": ""})),
    "migration by an eviction": (
        MIGRATION,
        field("metadata", "annotations", value={"kubevirt.io/evacuationMigration": "n"}),
    ),
    "pod is on no network": (POD, field("metadata", "annotations", value={"none": ""})),
    **{f"pod is {phase}": (POD, field("status", "phase", value=phase)) for phase in ("Pending", "Failed", "Running")},
    "pod is another's": (POD, field("metadata", "labels", "kubevirt.io/created-by", value="other")),
}
GOES = {f"{kind} is deleted": kind for kind in (VM, VMI, MIGRATION, POD)}
NAMES = [f"{name} after {share:.0%}" for name in (*ALTERATIONS, *GOES) for share in WHEN]


def altered(name: str, states: Sequence[State]) -> list[State]:
    """The states of a flow with one alteration."""
    what, _, when = name.rpartition(" after ")
    kind = GOES.get(what) or ALTERATIONS[what][0]
    mine = [place for place, state in enumerate(states) if state[2] == kind]
    first = mine[min(len(mine) - 1, round(len(mine) * float(when.rstrip("%")) / 100))]
    if what in GOES:
        second, _, _, title, item = states[first]
        gone = copy.deepcopy(item)
        gone["metadata"]["resourceVersion"] += "0"
        left = [state for state in states[first + 1 :] if state[2:4] != (kind, title)]
        return [*states[: first + 1], (second, "DELETED", kind, title, gone), *left]
    for place in mine:
        if place >= first:
            ALTERATIONS[what][1](states[place][4])
    return list(states)
