# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a network change: complete, and nothing else changed. Each returns what it saw, or raises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from livenad.api.history import DELETED, History, Record
from livenad.api.kinds import VMI, Object, dig, meta
from livenad.api.status import (
    current_pod,
    elsewhere,
    is_true,
    migration_state,
    network_of,
    nic_status,
    node_of,
    pod_network,
    qualified,
    vm_summary,
)
from livenad.changes import NetworkChange
from livenad.errors import LabError, NotReached, ProductFault
from livenad.foreign_migrations import fault_or_undecided, foreign_since
from livenad.network_change.completion import completed_at, five_facts
from livenad.text import human
from livenad.virtual_machines.manifests import pod_interface_name

_NAMED = 5
"""How many of many VMs a message names."""

_SPEC_KEYS = ("bootOrder", "bridge", "macAddress", "model", "state")


_SHOWN = ("mac", "interfaceName", "podInterfaceName", "linkState", "ipAddresses")

_STATUS_KEYS = ("mac", "interfaceName", "podInterfaceName", "linkState")


def judge_all_complete(history: History, left: Sequence[NetworkChange], of: int, within: float) -> str:
    """No change of many VMs, ``left`` of ``of``, was incomplete ``within`` seconds after the first edit."""
    missing = sorted(left, key=lambda change: bool(foreign_since(history, change)))
    if not missing:
        return f"All {of} VMs are on their new network"
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    facts = ((one, next((fact.seen for fact in five_facts(history, one) if not fact.holds), "")) for one in missing)
    told = "; ".join(f"{one.vm}: {seen or 'complete since'}" for one, seen in islice(facts, _NAMED))
    fault = NotReached(
        f"{missing[0].subject}{others} of {of}: expected every swap to be complete within "
        f"{human(within)} of the first edit; {told}"
    )
    raise fault_or_undecided(history, missing[0], fault)


def judge_completion(history: History, change: NetworkChange, within: float) -> str:
    """The five facts hold, and the last of them came true within ``within`` seconds of the edit."""
    facts = five_facts(history, change)
    missing = [fact for fact in facts if not fact.holds]
    if missing:
        waited = history.now - change.at
        first, *others = missing
        also = "".join(f"\nalso missing: {fact.seen}" for fact in others)
        raise NotReached(
            f"{change.title}: expected to be complete within {human(within)}, is not after {human(waited)}; "
            f"missing: {first.name}: {first.seen}{_restarted(history, change)}{also}",
            overdue=waited > within,
        )
    done = completed_at(facts)
    took = (done if done is not None else history.now) - change.at
    if took > within:
        last = max(facts, key=lambda fact: fact.since or 0)
        raise ProductFault(
            f"{change.title}: expected to be complete within {human(within)}, was only after {human(took)}; "
            f"last to come true: {last.name} ({last.seen})"
        )
    return f"{change.title}: complete {human(took)} after the edit"


def judge_interface(history: History, change: NetworkChange, within: float) -> str:
    """The VMI shows the NIC as before the edit, and the guest agent has reported since the VM was migrated.

    Where every address stays there is nothing to report: then it is the same ``within`` seconds after the migration.
    LabError before: what is shown may be from before the migration.
    """
    title = f'{change.subject}, NIC "{change.nic}"'
    if differences := interface_differences(history, change):
        raise NotReached(
            f"{title}: expected the VMI to show it as before the swap, for {human(within)} it did not: "
            f"{'; '.join(differences)}"
        )
    here = _since_arrival(history, change)
    quiet = history.now - here[0].at if here else 0.0
    if not has_reported(history, change) and (quiet < within or not _has_ended(here[-1].object, change)):
        raise LabError(
            f"{title}: the VMI shows it as before the swap, but nothing was reported from another node or VMI since "
            "the edit, so it may be what was known before; call `Wait Until Change Has Settled` first"
        )
    shown = ", ".join(f"{key} {_text(change.interface.get(key))}" for key in _SHOWN)
    return f"{title}: the VMI shows it as before the swap: {shown}"


def has_reported(history: History, change: NetworkChange) -> bool:
    """Whether the interfaces of the VMI's status are known to be from after its migration, or from its restart.

    virt-handler of the target first leaves what the source knew. A later write of the interfaces, or an agent that
    connects again, shows that it has asked the guest.
    """
    here = _since_arrival(history, change)
    if not here or not _agent_answers(here[-1].object, change):
        return False
    return here[0].uid != change.vmi_uid or any(_told(one.object) != _told(here[0].object) for one in here[1:])


def _since_arrival(history: History, change: NetworkChange) -> list[Record]:
    """The states of the VMI since it is on its node, if it came there since the edit, or came back; else none."""
    found: list[Record] = []
    left = False
    for record in history.records(VMI, change.vm, change.index):
        node = node_of(record.object)
        left = left or record.uid != change.vmi_uid or node not in ("", change.node)
        if record.type == DELETED or not left:
            found = []
        elif not found or (found[-1].uid, node_of(found[-1].object)) != (record.uid, node):
            found = [record]
        else:
            found.append(record)
    return found


def _has_ended(vmi: Object, change: NetworkChange) -> bool:
    """Whether the migration has ended, as the VMI shows, and the agent answers."""
    return bool(migration_state(vmi).get("completed")) and _agent_answers(vmi, change)


def _agent_answers(vmi: Object, change: NetworkChange) -> bool:
    """Whether the agent answers now, where it did before the edit."""
    if "guest-agent" not in str(change.interface.get("infoSource", "")):
        return True
    entry = nic_status(vmi, change.nic) or {}
    return is_true(vmi, "AgentConnected") and "guest-agent" in str(entry.get("infoSource", ""))


def _told(vmi: Object) -> tuple[object, bool]:
    return dig(vmi, "status", "interfaces"), is_true(vmi, "AgentConnected")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value or "none")


def interface_differences(history: History, change: NetworkChange) -> list[str]:
    """The fields of the NIC that differ from before the edit, apart from the network's name; one line for each."""
    vmi = history.current(VMI, change.vm)
    if vmi is None:
        return ["the VMI is gone"]
    old, new = change.interface, nic_status(vmi, change.nic)
    if new is None:
        return [f'status.interfaces has no entry "{change.nic}"']
    lines = [
        f"status {key} was {old.get(key) or 'not set'}, is {new.get(key) or 'not set'}"
        for key in _STATUS_KEYS
        if (old.get(key) or None) != (new.get(key) or None)
    ]
    before, after = sorted(old.get("ipAddresses") or []), sorted(new.get("ipAddresses") or [])
    if before != after:
        lines.append(f"status ipAddresses were {before}, are {after}")
    spec = history.state_before(VMI, change.vm, change.index) or {}
    was, now = _spec_interface(spec, change.nic), _spec_interface(vmi, change.nic)
    lines += [f"spec {key} was {was.get(key)}, is {now.get(key)}" for key in _SPEC_KEYS if was.get(key) != now.get(key)]
    network = network_of(vmi.get("spec", {}), change.nic)
    if network != change.new_network:
        lines.append(f"spec networkName is {network}, expected {change.new_network}")
    return lines


def _spec_interface(vmi: Object, nic: str) -> Object:
    for entry in dig(vmi, "spec", "domain", "devices", "interfaces", default=[]) or []:
        if entry.get("name") == nic:
            return dict(entry)
    return {}


def _restarted(history: History, change: NetworkChange) -> str:
    vmi = history.current(VMI, change.vm)
    if vmi is not None and meta(vmi, "uid") != change.vmi_uid:
        return f"; the VMI was replaced: {change.vmi_uid} before the edit, {meta(vmi, 'uid')} now"
    return ""


def judge_network(history: History, vm: str, namespace: str, nic: str, network: str) -> str:
    """The VMI's spec and the launcher pod's network-status name a network for a NIC."""
    title, wanted = f'VM {namespace}/{vm}, NIC "{nic}"', qualified(network, namespace)
    vmi = history.current(VMI, vm)
    pod = current_pod(history, vmi) if vmi else None
    if vmi is None or pod is None:
        raise NotReached(f"{title}: expected to be on {wanted}; {vm_summary(history, vm)}, no launcher pod")
    spec = network_of(vmi.get("spec", {}), nic) or ""
    interface = str(dig(nic_status(vmi, nic), "podInterfaceName") or pod_interface_name(nic))
    found = pod_network(pod, interface)
    if qualified(spec, namespace) != wanted or found != wanted:
        raise NotReached(
            f"{title}: expected to be on {wanted}; the VMI's spec names {spec or 'nothing'}, and launcher pod "
            f"{meta(pod, 'name')} on {node_of(vmi)} has {interface} on {found or 'no network'}"
            f"{elsewhere(pod, wanted) if found != wanted else ''}"
        )
    return f"{title}: on {wanted} by the VMI's spec and by launcher pod {meta(pod, 'name')} on {node_of(vmi)}"
