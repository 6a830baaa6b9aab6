# SPDX-License-Identifier: Apache-2.0
"""The order across objects, where one thing is the cause of the next.

A chain is a choice of milestones of one VM; the fact is the order in which they were written. Milestones that different
writers reach side by side, such as the copies of VMI conditions on the VM, are in different chains.
"""

from __future__ import annotations

from collections.abc import Iterator

from .fields import flat
from .names import MIGRATION, POD, VM, VMI, Entry, Obj, Words, vm_of

REQUIRED = "status.conditions[MigrationRequired]"
RESTART = "status.conditions[RestartRequired]"
STATE = "status.migrationState."
# Which milestones, and why their order is no chance.
CHAINS = {
    # The VM controller copies the edit, the VMI controller evaluates the copy, the updater acts on the condition.
    "edit to migration": ("VM networks", "VMI networks", "VMI migration required", "migration created"),
    # The migration controller and virt-handler hand each other the next step through the objects.
    "migration": (
        "migration created",
        "migration phase",
        "VMI source and target",
        "VMI targetNodeAddress",
        "VMI startTimestamp",
        "VMI targetNodeDomainReadyTimestamp",
        "VMI endTimestamp",
        "VMI node",
        "VMI completed",
        "migration finalizer",
        "migration deleted",
    ),
    # virt-handler clears the condition with the report that the target domain is up.
    "condition and migration": ("VMI migration required", "VMI startTimestamp", "VMI node", "migration ended"),
    "target pod": ("migration created", "target pod", "VMI source and target"),
    "copy of the condition": ("VMI migration required", "VM migration required"),
    "edit and restart required": ("VM networks", "VM restart required"),
    "shown as migrating": ("VMI startTimestamp", "VM shown", "VMI endTimestamp"),
    "ends of VMIs": ("VMI created", "VMI phase", "VMI deleted"),
    "pods of VMIs": ("VMI created", "first pod", "VMI phase"),
}


def orders_of(entries: list[Entry], words: Words) -> Obj:
    """Of each VM and chain, the milestones in the order in which they were written."""
    reached: dict[str, list[tuple[str, str]]] = {}
    before: dict[str, Obj] = {}
    for event, kind, obj in entries:
        if kind == "Event":
            continue
        uid = obj["metadata"]["uid"]
        old, new = before.get(uid, {}), flat(obj)
        vm = vm_of(kind, obj)
        for milestone, value in _milestones(event, kind, old, new):
            reached.setdefault(vm, []).append((milestone, str(words.say(value))))
        before[uid] = new
    return {vm: {name: list(_along(CHAINS[name], steps)) for name in CHAINS} for vm, steps in reached.items()}


def _along(chain: tuple[str, ...], steps: list[tuple[str, str]]) -> Iterator[str]:
    return (f"{milestone}: {value}" if value else milestone for milestone, value in steps if milestone in chain)


def _milestones(event: str, kind: str, old: Obj, new: Obj) -> Iterator[tuple[str, str]]:
    """What this write reaches: (milestone, value)."""
    short = {VM: "VM", VMI: "VMI", MIGRATION: "migration", POD: "pod"}[kind]
    if event == "DELETED":
        yield f"{short} deleted", ""
        return
    if not old:
        yield _created(kind, short, new), ""
    if kind in (VM, VMI):
        yield from _conditions_and_networks(short, old, new)
    if kind == VMI:
        yield from _instance(old, new)
    if kind == VM and _changed(old, new, "status.printableStatus"):
        yield "VM shown", new["status.printableStatus"]
    if kind == MIGRATION:
        yield from _migration(old, new)


def _created(kind: str, short: str, new: Obj) -> str:
    if kind != POD:
        return f"{short} created"
    return "target pod" if "metadata.labels.kubevirt.io/migrationJobUID" in new else "first pod"


def _changed(old: Obj, new: Obj, path: str) -> bool:
    return path in new and old.get(path) != new[path]


def _conditions_and_networks(short: str, old: Obj, new: Obj) -> Iterator[tuple[str, str]]:
    nads = [{p: v for p, v in version.items() if p.endswith("multus.networkName")} for version in (old, new)]
    if old and nads[0] != nads[1]:
        yield f"{short} networks", ", ".join(map(str, nads[1].values()))
    for path, word in ((REQUIRED, "migration required"), (RESTART, "restart required")):
        if old.get(path) != new.get(path):
            yield f"{short} {word}", str(new.get(path))


def _instance(old: Obj, new: Obj) -> Iterator[tuple[str, str]]:
    if _changed(old, new, STATE + "targetNode"):
        yield "VMI source and target", ""
    for name in ("targetNodeAddress", "startTimestamp", "targetNodeDomainReadyTimestamp", "endTimestamp"):
        if _changed(old, new, STATE + name):
            yield f"VMI {name}", ""
    if "status.nodeName" in old and _changed(old, new, "status.nodeName"):
        yield "VMI node", ""
    if _changed(old, new, STATE + "completed"):
        yield "VMI completed", ""
    if _changed(old, new, "status.phase"):
        yield "VMI phase", new["status.phase"]


def _migration(old: Obj, new: Obj) -> Iterator[tuple[str, str]]:
    phase = new.get("status.phase", "")
    if _changed(old, new, "status.phase"):
        yield "migration phase", phase
        if phase in ("Succeeded", "Failed"):
            yield "migration ended", phase
    if "metadata.finalizers" in old and "metadata.finalizers" not in new:
        yield "migration finalizer", ""
