"""Judgements on a VM's life besides its swaps: each returns what it saw, or raises ProductFault."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import VM, VMI, dig, meta
from livenad.api.status import (
    condition_text,
    current_pod,
    is_automatic,
    is_true,
    network_of,
    nic_status,
    node_of,
    phase_of,
    pod_network,
    qualified,
    vm_summary,
)
from livenad.errors import ProductFault
from livenad.network_change.change import Act, migrations_after
from livenad.network_change.completion import NetworkSwap, edits_of, migrations_since
from livenad.text import human
from livenad.virtual_machines.manifests import pod_interface_name


def judge_migrated_by_hand(history: History, act: Act) -> str:
    """The one migration after the act is the one that was asked for; it succeeded and moved this very VMI."""
    found = migrations_after(history, act)
    listed = ", ".join(f"{meta(item, 'name')} is {phase_of(item) or 'new'}" for item in found) or "there is none"
    ago = human(time.monotonic() - act.at)
    if len(found) != 1 or is_automatic(found[0]):
        raise ProductFault(f"{act.title}: expected one migration, the one that was asked for {ago} ago; {listed}")
    vmi = history.current(VMI, act.vm)
    if phase_of(found[0]) != "Succeeded":
        raise ProductFault(f"{act.title}: expected its migration to have succeeded after {ago}; {listed}")
    if vmi is None or meta(vmi, "uid") != act.vmi_uid:
        now = "gone" if vmi is None else f"another one, {meta(vmi, 'uid')}"
        raise ProductFault(f"{act.title}: expected VMI {act.vmi_uid} to live on over its migration; it is {now}")
    for record in history.records(VMI, act.vm, act.index):
        if record.type == DELETED or phase_of(record.object) != "Running":
            raise ProductFault(
                f"{act.title}: expected VMI phase Running all the time; it was {phase_of(record.object)} "
                f"{human(record.at - act.at)} after the migration was asked for"
            )
    if node_of(vmi) in ("", act.node):
        raise ProductFault(f"{act.title}: expected to have left node {act.node}; it is on {node_of(vmi) or 'none'}")
    return f"{act.title}: migrated from {act.node} to {node_of(vmi)} by {meta(found[0], 'name')}"


def judge_new_instance(history: History, act: Act) -> str:
    """The VM runs again as another VMI than before the act."""
    vmi = history.current(VMI, act.vm)
    if vmi is None or meta(vmi, "uid") == act.vmi_uid or phase_of(vmi) != "Running":
        same = "" if vmi is None or meta(vmi, "uid") != act.vmi_uid else "the VMI is still the one from before, "
        raise ProductFault(
            f"{act.title}: expected to run as a new VMI after {act.what}; {human(time.monotonic() - act.at)} later "
            f"{same}{vm_summary(history, act.vm)}"
        )
    return f"{act.title}: runs as VMI {meta(vmi, 'uid')}, before {act.what} it was {act.vmi_uid or 'stopped'}"


def judge_nothing_asked_for(history: History, act: Act) -> str:
    """Since the act neither RestartRequired nor MigrationRequired was true, and no migration object came."""
    checks = ((VM, "RestartRequired"), (VM, "MigrationRequired"), (VMI, "MigrationRequired"))
    for kind, type_ in checks:
        for record in history.records(kind, act.vm, act.index):
            if record.type != DELETED and is_true(record.object, type_):
                raise ProductFault(
                    f"{act.title}: expected no {type_} since {act.what}; the {kind.name} had it "
                    f"{human(record.at - act.at)} later: {condition_text(record.object, type_)}"
                )
    if found := migrations_after(history, act):
        names = ", ".join(f"{meta(item, 'name')} ({phase_of(item) or 'new'})" for item in found)
        raise ProductFault(f"{act.title}: expected no migration since {act.what}; there is {names}")
    return f"{act.title}: neither restart nor migration was asked for since {act.what}"


def judge_network(history: History, vm: str, namespace: str, nic: str, network: str) -> str:
    """The VMI's spec and the launcher pod's network-status name a network for a NIC."""
    title, wanted = f'VM {namespace}/{vm}, NIC "{nic}"', qualified(network, namespace)
    vmi = history.current(VMI, vm)
    pod = current_pod(history, vmi) if vmi else None
    if vmi is None or pod is None:
        raise ProductFault(f"{title}: expected to be on {wanted}; {vm_summary(history, vm)}, no launcher pod")
    spec = network_of(vmi.get("spec", {}), nic) or ""
    interface = str(dig(nic_status(vmi, nic), "podInterfaceName") or pod_interface_name(nic))
    found = pod_network(pod, interface)
    if qualified(spec, namespace) != wanted or found != wanted:
        raise ProductFault(
            f"{title}: expected to be on {wanted}; the VMI's spec says {spec or 'nothing'}, and launcher pod "
            f"{meta(pod, 'name')} on {node_of(vmi)} has {interface} on {found or 'no network'}"
        )
    return f"{title}: on {wanted} by the VMI's spec and by launcher pod {meta(pod, 'name')} on {node_of(vmi)}"


def judge_migrated_times(history: History, swap: NetworkSwap, times: int) -> str:
    """As many migrations as given since the first edit of the VM, all made by the cluster, all Succeeded."""
    first = edits_of(swap)[0]
    found = list(migrations_since(history, first).values())
    listed = ", ".join(
        f"{meta(item, 'name')} ({'by the cluster' if is_automatic(item) else 'by hand'}, {phase_of(item) or 'new'})"
        for item in found
    )
    good = [item for item in found if is_automatic(item) and phase_of(item) == "Succeeded"]
    if len(found) != times or len(good) != times:
        raise ProductFault(
            f"VM {swap.namespace}/{swap.vm}: expected {times} migrations made by the cluster since the first edit, all "
            f"succeeded; there are {len(found)}{': ' + listed if listed else ''}"
        )
    return f"VM {swap.namespace}/{swap.vm}: {times} migrations since the first edit: {listed}"
