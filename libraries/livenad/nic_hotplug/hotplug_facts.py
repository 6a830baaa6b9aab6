# SPDX-License-Identifier: Apache-2.0
"""The facts that together mean that a hot-plug or hot-unplug is done. Pure functions of the history."""

from __future__ import annotations

from livenad.api.history import History
from livenad.api.kinds import MIGRATION, POD, VM, VMI, Object, dig, meta
from livenad.api.status import (
    FINAL_PHASES,
    condition,
    condition_text,
    current_pod,
    network_of,
    nic_status,
    phase_of,
    pod_network,
    qualified,
)
from livenad.changes import NicHotplug
from livenad.foreign_migrations import own_migrations
from livenad.model import Nic
from livenad.network_change.completion import Fact
from livenad.virtual_machines.manifests import pod_interface_name


def facts_of(history: History, change: NicHotplug) -> list[Fact]:
    """The facts that hold once a NIC has been plugged or unplugged, by a migration or in place."""
    vmi = history.current(VMI, change.vm) or {}
    own = [_in_spec, _in_status, _in_pod] if change.plugged else [_out_of_status, _out_of_pod, _out_of_specs]
    return [*(fact(history, change, vmi) for fact in own), _no_migration_left(history, change, vmi)]


def is_settled(history: History, change: NicHotplug) -> bool:
    """Whether all the facts hold."""
    return all(fact.holds for fact in facts_of(history, change))


def _in_spec(history: History, change: NicHotplug, vmi: Object) -> Fact:
    def network(item: Object) -> str | None:
        return network_of(item.get("spec", {}), change.nic.name)

    now = network(vmi)
    since = history.since_when(VMI, change.vm, lambda item: network(item) == now)
    seen = f'the VMI\'s spec has it on "{now}"' if now else "the VMI's spec does not have it"
    return Fact("the VMI's spec has the NIC", now == change.nic.network, seen, since)


def _in_status(history: History, change: NicHotplug, vmi: Object) -> Fact:
    entry = nic_status(vmi, change.nic.name) or {}
    sources, mac = str(entry.get("infoSource", "")), str(entry.get("mac", "")).lower()
    seen = f"status.interfaces has it with MAC {mac or 'not set'} and infoSource {sources or 'not set'}"
    since = history.since_when(VMI, change.vm, lambda item: _is_reported(item, change.nic))
    name = "the VMI's status has the NIC, from the domain and from Multus"
    return Fact(name, _is_reported(vmi, change.nic), seen if entry else "status.interfaces does not have it", since)


def _is_reported(vmi: Object, nic: Nic) -> bool:
    entry = nic_status(vmi, nic.name) or {}
    sources = {source.strip() for source in str(entry.get("infoSource", "")).split(",")}
    return {"domain", "multus-status"} <= sources and str(entry.get("mac", "")).lower() == nic.mac


def _in_pod(history: History, change: NicHotplug, vmi: Object) -> Fact:
    wanted = qualified(change.nic.network or "", change.namespace)
    network, seen, since = _pod_fact(history, change, vmi)
    return Fact("the launcher pod's network-status has the NIC", network == wanted, seen, since)


def _out_of_pod(history: History, change: NicHotplug, vmi: Object) -> Fact:
    network, seen, since = _pod_fact(history, change, vmi)
    return Fact("the launcher pod's network-status does not have the NIC", network is None, seen, since)


def _pod_fact(history: History, change: NicHotplug, vmi: Object) -> tuple[str | None, str, float | None]:
    interface = pod_interface_name(change.nic.name)
    pod = current_pod(history, vmi) if vmi else None
    if pod is None:
        return "", "there is no launcher pod", None
    title, network = str(meta(pod, "name")), pod_network(pod, interface)
    since = history.since_when(POD, title, lambda item: pod_network(item, interface) == network)
    return network, f"launcher pod {title} has {interface} on {network or 'no network'}", since


def _out_of_status(history: History, change: NicHotplug, vmi: Object) -> Fact:
    entry = nic_status(vmi, change.nic.name)
    seen = "status.interfaces does not have it"
    if entry is not None:
        seen = f"status.interfaces still has it, infoSource {entry.get('infoSource') or 'not set'}"
    since = history.since_when(VMI, change.vm, lambda item: nic_status(item, change.nic.name) is None)
    return Fact("the VMI's status does not have the NIC", entry is None, seen, since)


def _out_of_specs(history: History, change: NicHotplug, vmi: Object) -> Fact:
    vm = history.current(VM, change.vm) or {}
    holders = [
        title
        for title, spec in (("VM", template_of(vm)), ("VMI", vmi.get("spec", {})))
        if in_spec(spec, change.nic.name) or network_of(spec, change.nic.name)
    ]
    since = history.since_when(VM, change.vm, lambda item: not in_spec(template_of(item), change.nic.name))
    seen = f"still in the spec of the {' and of the '.join(holders)}" if holders else "in neither spec"
    return Fact("the NIC is in the spec of neither VM nor VMI", not holders, seen, since)


def _no_migration_left(history: History, change: NicHotplug, vmi: Object) -> Fact:
    found = own_migrations(history, change).values()
    under_way = [item for item in found if phase_of(item) not in FINAL_PHASES]
    asked = condition(vmi, "MigrationRequired") is not None
    since = history.since_when(VMI, change.vm, lambda item: condition(item, "MigrationRequired") is None)
    seen = condition_text(vmi, "MigrationRequired")
    for item in found:
        name, phase = str(meta(item, "name")), phase_of(item)
        seen += f", migration {name} is {phase or 'new'}"
        ended = history.since_when(MIGRATION, name, lambda found, now=phase: phase_of(found) == now)  # type: ignore[misc]
        since = max(since, ended) if since is not None and ended is not None else since
    return Fact("no migration is required or in progress", not asked and not under_way, seen, since)


def template_of(vm: Object) -> Object:
    """The spec of a VM's template."""
    return dict(dig(vm, "spec", "template", "spec", default={}))


def interfaces_of(spec: Object) -> list[Object]:
    """The interfaces of a VMI's spec or of a VM's template."""
    return list(dig(spec, "domain", "devices", "interfaces", default=[]) or [])


def in_spec(spec: Object, nic: str) -> Object:
    """A NIC's interface in a spec, empty where it has none."""
    return next((dict(card) for card in interfaces_of(spec) if card.get("name") == nic), {})
