"""Judgements on edits that come at an awkward time: during a migration, or while the VM is still starting."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import VM, VMI, Object, meta
from livenad.api.status import (
    FINAL_PHASES,
    condition_text,
    current_pod,
    is_automatic,
    is_true,
    migration_state,
    network_of,
    node_of,
    phase_of,
    pod_network,
    qualified,
)
from livenad.errors import ProductFault
from livenad.network_change.completion import NetworkSwap, edits_of, migrations_since
from livenad.text import human


def missing_effect(history: History, swap: NetworkSwap) -> list[str]:
    """What keeps the last edit of a VM from being in effect; empty when nothing does.

    How many migrations it took is the cluster's affair, so none is asked for; but none may be under way any more.
    """
    vmi = history.current(VMI, swap.vm)
    if vmi is None or phase_of(vmi) != "Running":
        return [f"the VMI is {phase_of(vmi) if vmi else 'gone'}"]
    lacks = []
    spec = network_of(vmi.get("spec", {}), swap.nic) or ""
    wanted = qualified(swap.new_network, swap.namespace)
    if qualified(spec, swap.namespace) != wanted:
        lacks.append(f'the VMI\'s spec names "{spec}"')
    pod = current_pod(history, vmi)
    network = pod_network(pod, swap.pod_interface) if pod else None
    if network != wanted:
        name = meta(pod, "name") if pod else "none"
        lacks.append(f"launcher pod {name} on {node_of(vmi)} has {swap.pod_interface} on {network or 'no network'}")
    for item in migrations_of_edits(history, swap):
        if phase_of(item) not in FINAL_PHASES:
            lacks.append(_unfinished(vmi, swap, item))
    if is_true(vmi, "MigrationRequired"):
        lacks.append(condition_text(vmi, "MigrationRequired"))
    return lacks


def judge_last_edit(history: History, swap: NetworkSwap, within: float) -> str:
    """The last edit of a VM is in effect; the message tells how many migrations all its edits took."""
    edits = edits_of(swap)
    found = migrations_of_edits(history, swap)
    listed = ", ".join(_describe(item) for item in found) or "none"
    if lacks := missing_effect(history, swap):
        others = "".join(f', before that to "{edit.new_network}"' for edit in reversed(edits[:-1]))
        raise ProductFault(
            f"{swap.title}{others}: expected the last edit to be in effect within {human(within)}, is not after "
            f"{human(time.monotonic() - swap.at)}: {'; '.join(lacks)}; migrations: {listed}"
        )
    took = human(time.monotonic() - swap.at)
    vmi = history.current(VMI, swap.vm) or {}
    return (
        f"{swap.title}: in effect on {node_of(vmi)} {took} after the edit; {len(edits)} edits took {len(found)} "
        f"migrations: {listed}"
    )


def judge_started_once(history: History, swap: NetworkSwap) -> str:
    """The VMI that was starting when the VM was edited is the one that runs now, and it never went back."""
    title = f"VM {swap.namespace}/{swap.vm}"
    order = ("", "Pending", "Scheduling", "Scheduled", "Running")
    reached = 0
    for record in history.records(VMI, swap.vm, swap.index):
        when = f"{human(record.at - swap.at)} after the edit"
        if record.type == DELETED or record.uid != swap.before.vmi_uid:
            what = "was deleted" if record.type == DELETED else f"was replaced by {record.uid}"
            raise ProductFault(
                f"{title}: expected the VMI that was starting to run on; VMI {swap.before.vmi_uid} {what} {when}"
            )
        phase = phase_of(record.object)
        if phase not in order or order.index(phase) < reached:
            raise ProductFault(
                f"{title}: expected the VMI to go on to phase Running and stay there; it was {phase} {when}, after "
                f"{order[reached]}"
            )
        reached = order.index(phase)
    vmi = history.current(VMI, swap.vm)
    if vmi is None or order[reached] != "Running":
        raise ProductFault(f"{title}: expected to run; its VMI is {order[reached] if vmi else 'gone'}")
    return f"{title}: VMI {swap.before.vmi_uid} since it was starting"


def judge_restart_not_left(history: History, swap: NetworkSwap) -> str:
    """RestartRequired did not outlive the VM's start.

    KubeVirt after 1.9 sets it on any VM that cannot migrate, such as one that is starting, and takes it back.
    """
    title = f"VM {swap.namespace}/{swap.vm}"
    vm = history.current(VM, swap.vm) or {}
    able = next((r for r in history.records(VMI, swap.vm, swap.index) if is_true(r.object, "LiveMigratable")), None)
    if is_true(vm, "RestartRequired"):
        since = history.since_when(VM, swap.vm, lambda item: is_true(item, "RestartRequired"))
        raise ProductFault(
            f"{title}: expected no restart to be required once the VM can migrate (since "
            f"{human(time.monotonic() - able.at) if able else 'never'}); the VM has it since "
            f"{human(time.monotonic() - (since or swap.at))}: {condition_text(vm, 'RestartRequired')}"
        )
    before = False
    seen = 0
    for record in history.records(VM, swap.vm, swap.index):
        now = is_true(record.object, "RestartRequired")
        if now and not before and able is not None and record.index > able.index:
            raise ProductFault(
                f"{title}: expected no restart to be required once the VM can migrate; it was set "
                f"{human(record.at - able.at)} after that: {condition_text(record.object, 'RestartRequired')}"
            )
        seen += now
        before = now
    note = "while the VM could not migrate yet, and taken back" if seen else "in no state of the VM"
    return f"{title}: RestartRequired {note}"


def migrations_of_edits(history: History, swap: NetworkSwap) -> list[Object]:
    """The migration objects since the first edit of the VM, oldest first."""
    return list(migrations_since(history, edits_of(swap)[0]).values())


def _unfinished(vmi: Object, swap: NetworkSwap, migration: Object) -> str:
    name, phase, state = meta(migration, "name"), phase_of(migration), migration_state(vmi)
    ours = state.get("migrationUid") == meta(migration, "uid")
    if phase == "Running" and ours and state.get("completed"):
        return (
            f"migration {swap.namespace}/{name} is left in Running for good with migrationState.completed=true, as an "
            "edit during a running migration can leave it"
        )
    return f"migration {swap.namespace}/{name} is {phase or 'new'}"


def _describe(migration: Object) -> str:
    maker = "by the cluster" if is_automatic(migration) else "by hand"
    return f"{meta(migration, 'name')} ({maker}, {phase_of(migration) or 'new'})"
