# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a VM that must stay on its node although its network was edited, and on its control."""

from __future__ import annotations

from livenad.api.history import DELETED, History
from livenad.api.kinds import POD, VM, VMI, meta
from livenad.api.migration_trouble import phase_text
from livenad.api.status import current_pod, is_true, node_of, phase_of, pod_network, qualified
from livenad.changes import Change, NetworkChange, migrations_since
from livenad.errors import LabError, ProductFault
from livenad.foreign_migrations import reached
from livenad.network_change.completion import five_facts, is_complete
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import judge_not_restarted, judge_ran_on


def has_left(history: History, change: Change) -> bool:
    """Whether the VM has another VMI or node, or a migration was made, so that the wait can end."""
    vmi = history.current(VMI, change.vm)
    moved = vmi is None or meta(vmi, "uid") != change.vmi_uid or node_of(vmi) != change.node
    return moved or bool(migrations_since(history, change))


def judge_stayed(history: History, change: Change) -> str:
    """Since before an edit, or since it was first seen running: same VMI, same node, and no migration object.

    After an edit also: one launcher pod all the time, on the old network.
    """
    edited = isinstance(change, NetworkChange)
    reason = "this edit requires no migration" if edited else "nothing was changed"
    if isinstance(change, NetworkChange):
        judge_not_restarted(history, change)
    else:
        judge_ran_on(history, change)
    for record in history.records(VMI, change.vm, change.index):
        if node_of(record.object) != change.node:
            raise ProductFault(
                f"{change.subject}: expected to stay on node {change.node}, as {reason}; "
                f"{human(record.at - change.at)} after {change.what} it was on {node_of(record.object) or 'none'}"
            )
    if found := migrations_since(history, change).values():
        names = ", ".join(f"{meta(item, 'name')} ({phase_text(history, item)})" for item in found)
        raise ProductFault(f"{change.subject}: expected no migration, as {reason}; there is {names}")
    pod = f", in pod {_only_pod(history, change)}" if isinstance(change, NetworkChange) else ""
    lasted = human(history.now - change.at)
    return f"{change.subject}: stayed on {change.node} for {lasted} since {change.what}{pod}"


def _only_pod(history: History, change: NetworkChange) -> str:
    """The one launcher pod that the VMI ever had; ProductFault for others, or for one on another network."""
    pods: dict[str, str] = {}
    history.require_kept(POD, change.vm, change.index)
    for record in history.records(POD, vm=change.vm):
        labels = meta(record.object, "labels", {})
        if labels.get("kubevirt.io/created-by") == change.vmi_uid and record.type != DELETED:
            pods[record.name] = pod_network(record.object, change.pod_interface) or "no network"
    wanted = qualified(change.old_network, change.namespace)
    if list(pods.values()) != [wanted]:
        raise ProductFault(f"{change.subject}: expected one launcher pod all the time, on {wanted}; seen: {pods}")
    return next(iter(pods))


def judge_waiting(history: History, change: NetworkChange) -> str:
    """The VM runs on its node and its old network; the migrations and pods of the edit only wait.

    KubeVirt 1.9 and newer make a target pod that stays Pending, older ones none.
    """
    title = f"VM {change.namespace}/{change.vm}"
    judge_not_restarted(history, change)
    vmi = history.current(VMI, change.vm) or {}
    pod = current_pod(history, vmi)
    network = pod_network(pod, change.pod_interface) if pod else None
    if node_of(vmi) != change.node or network != qualified(change.old_network, change.namespace):
        raise ProductFault(
            f"{title}: expected to wait on {change.node}, on {change.old_network}, for the NAD {change.new_network}; "
            f"{human(history.now - change.at)} after the edit it is on {node_of(vmi)}, on "
            f"{network or 'no network'}"
        )
    waiting = []
    for uid, item in migrations_since(history, change).items():
        if phase_of(item) == "Succeeded":
            raise ProductFault(
                f"{title}: migration {meta(item, 'name')} Succeeded without the NAD {change.new_network}"
            )
        for target in history.all(POD, vm=change.vm):
            if meta(target, "labels", {}).get("kubevirt.io/migrationJobUID") == uid:
                waiting.append(f"target pod {meta(target, 'name')} is {phase_of(target) or 'new'}")
                if phase_of(target) in ("Running", "Succeeded"):
                    raise ProductFault(f"{title}: {waiting[-1]} without the NAD {change.new_network}")
        waiting.append(f"migration {meta(item, 'name')} is {phase_text(history, item)}")
    return f"{title}: runs on {node_of(vmi)}, on {change.old_network}; {', '.join(waiting) or 'no migration object'}"


def has_settled(history: History, control: NetworkChange) -> bool:
    """Whether the cluster has processed the edit of a migratable VM: it was migrated, or it requires a restart."""
    return _was_migrated(history, control) or _needs_restart(history, control)


def require_control(history: History, change: Change, control: NetworkChange) -> tuple[bool, str]:
    """Whether the control was migrated, and a text; False where this cluster migrates no VM for such an edit.

    LabError when the control has neither been migrated nor requires a restart, or when it was edited before the VM.
    """
    if control.index <= change.index:
        raise LabError(
            f"control {control.vm} was edited before {change.vm}; it proves nothing about the time after that edit"
        )
    if _was_migrated(history, control):
        return True, f"control {control.vm}, edited later, was migrated"
    if _needs_restart(history, control):
        return False, f"control {control.vm} has RestartRequired, as this cluster migrates no VM for such an edit"
    missing = next(fact for fact in five_facts(history, control) if not fact.holds)
    raise LabError(
        f"VM {change.namespace}/{change.vm} was not migrated, which proves nothing, as its control was not migrated "
        f"either: {control.title}: {missing.seen}"
    )


def _was_migrated(history: History, control: NetworkChange) -> bool:
    return reached(history, control, lambda known: is_complete(known, control))


def _needs_restart(history: History, control: NetworkChange) -> bool:
    return is_true(history.current(VM, control.vm) or {}, "RestartRequired")
