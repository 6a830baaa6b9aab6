"""Judgements on a VM that must stay where it is although its network was edited."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import POD, VM, VMI, meta
from livenad.api.status import condition_text, current_pod, is_true, node_of, phase_of, pod_network, qualified
from livenad.errors import ProductFault
from livenad.network_change.completion import NetworkSwap, migrations_since
from livenad.network_change.judge_network_change import judge_not_restarted
from livenad.text import human


def has_left(history: History, swap: NetworkSwap) -> bool:
    """Whether the VM has left its VMI or its node, or a migration was made: no use to look any longer."""
    vmi = history.current(VMI, swap.vm)
    moved = vmi is None or meta(vmi, "uid") != swap.before.vmi_uid or node_of(vmi) != swap.before.node
    return moved or bool(migrations_since(history, swap))


def judge_stayed(history: History, swap: NetworkSwap) -> str:
    """Since before the edit: same VMI, same node, one launcher pod, on the old network, and no migration object."""
    title = f"VM {swap.namespace}/{swap.vm}"
    judge_not_restarted(history, swap)
    for record in history.records(VMI, swap.vm, swap.index):
        if node_of(record.object) != swap.before.node:
            raise ProductFault(
                f"{title}: expected to stay on node {swap.before.node}, as this edit moves nothing; "
                f"{human(record.at - swap.at)} after the edit it was on {node_of(record.object) or 'none'}"
            )
    if found := migrations_since(history, swap).values():
        names = ", ".join(f"{meta(item, 'name')} ({phase_of(item) or 'new'})" for item in found)
        raise ProductFault(f"{title}: expected no migration, as this edit moves nothing; there is {names}")
    pods: dict[str, str] = {}
    for record in history.records(POD):
        labels = meta(record.object, "labels", {})
        if labels.get("kubevirt.io/created-by") == swap.before.vmi_uid and record.type != DELETED:
            pods[record.name] = pod_network(record.object, swap.pod_interface) or "no network"
    wanted = qualified(swap.old_network, swap.namespace)
    if list(pods.values()) != [wanted]:
        raise ProductFault(f"{title}: expected one launcher pod all the time, on {wanted}; seen: {pods}")
    return f"{title}: stayed on {swap.before.node} for {human(time.monotonic() - swap.at)}, in pod {next(iter(pods))}"


def judge_waiting(history: History, swap: NetworkSwap) -> str:
    """The VM runs on where it was, on its old network; what the cluster made for the edit so far only waits.

    KubeVirt 1.9 and newer make a target pod that stays Pending, older ones none.
    """
    title = f"VM {swap.namespace}/{swap.vm}"
    judge_not_restarted(history, swap)
    vmi = history.current(VMI, swap.vm) or {}
    pod = current_pod(history, vmi)
    network = pod_network(pod, swap.pod_interface) if pod else None
    if node_of(vmi) != swap.before.node or network != qualified(swap.old_network, swap.namespace):
        raise ProductFault(
            f"{title}: expected to wait on {swap.before.node}, on {swap.old_network}, for the NAD {swap.new_network}; "
            f"{human(time.monotonic() - swap.at)} after the edit it is on {node_of(vmi)}, on {network or 'no network'}"
        )
    waiting = []
    for uid, item in migrations_since(history, swap).items():
        if phase_of(item) == "Succeeded":
            raise ProductFault(f"{title}: migration {meta(item, 'name')} Succeeded without the NAD {swap.new_network}")
        for target in history.all(POD):
            if meta(target, "labels", {}).get("kubevirt.io/migrationJobUID") == uid:
                waiting.append(f"target pod {meta(target, 'name')} is {phase_of(target) or 'new'}")
                if phase_of(target) in ("Running", "Succeeded"):
                    raise ProductFault(f"{title}: {waiting[-1]} without the NAD {swap.new_network}")
        waiting.append(f"migration {meta(item, 'name')} is {phase_of(item) or 'new'}")
    return f"{title}: runs on {node_of(vmi)}, on {swap.old_network}; {', '.join(waiting) or 'no migration object'}"


def judge_signalled(history: History, swap: NetworkSwap) -> str:
    """The cluster says that the edit is not in effect: RestartRequired on the VM, or MigrationRequired on the VMI."""
    vm, vmi = history.current(VM, swap.vm) or {}, history.current(VMI, swap.vm) or {}
    shown = [
        f"{kind} {condition_text(item, type_)}"
        for kind, item, type_ in (("VM", vm, "RestartRequired"), ("VMI", vmi, "MigrationRequired"))
        if is_true(item, type_)
    ]
    if not shown:
        raise ProductFault(
            f"VM {swap.namespace}/{swap.vm}: expected RestartRequired on the VM or MigrationRequired on the VMI, as "
            f"the edit is not in effect; {human(time.monotonic() - swap.at)} after it there is neither: "
            f"{condition_text(vm, 'RestartRequired')}, {condition_text(vmi, 'MigrationRequired')}"
        )
    return f"VM {swap.namespace}/{swap.vm}: the edit is not in effect and said to be so: {', '.join(shown)}"
