# SPDX-License-Identifier: Apache-2.0
"""Whether a VM's template differs from its running VMI in a way that requires a restart."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane.accessors import by_name, interfaces, is_migratable, networks
from emulator.controlplane.settings import Settings

Obj = dict[str, Any]
# Empty objects whose presence has a meaning.
_MEANT = ("bridge", "masquerade", "sriov", "passtBinding", "slirp", "macvtap", "pod")


def restart_required(vm: Obj, vmi: Obj, started_from: Obj, settings: Settings) -> bool:
    """``started_from`` is the VM's spec in the ControllerRevision of this VMI."""
    now = vm["spec"]["template"]["spec"]
    last: Obj = clone(started_from["template"]["spec"])
    if settings.rollout_live_update:
        _allow(last, now, "nodeSelector", "affinity", "tolerations")
        _allow(last.setdefault("domain", {}).setdefault("cpu", {}), now.get("domain", {}).get("cpu", {}), "sockets")
        _allow(last["domain"].setdefault("memory", {}), now.get("domain", {}).get("memory", {}), "guest")
    if not networks_need_restart(vm, vmi, settings):
        _allow(last, now, "networks")
        _allow(last["domain"].setdefault("devices", {}), now.get("domain", {}).get("devices", {}), "interfaces")
    return bool(_pruned(last) != _pruned(now))


def networks_need_restart(vm: Obj, vmi: Obj, settings: Settings) -> bool:
    """KubeVirt's vmliveupdate.IsRestartRequired. It compares by name, so the order of the lists does not matter."""
    template = vm["spec"]["template"]["spec"]
    wanted_nics, wanted_networks = by_name(interfaces(template)), by_name(networks(template))
    for nic in interfaces(vmi["spec"]):
        wanted = wanted_nics.get(nic["name"])
        if wanted is None or _without(wanted, "state") != _without(nic, "state"):
            return True
    current = networks(vmi["spec"])
    if settings.profile.live_update != "never" and _adds_pod_network(wanted_networks, current):
        return True
    ignore = settings.live_updates_nad and (is_migratable(vmi) or not settings.profile.asks_migratable)
    for net in current:
        wanted = wanted_networks.get(net["name"])
        if wanted is None or _comparable(wanted, ignore) != _comparable(net, ignore):
            return True
    return False


def _adds_pod_network(wanted: dict[str, Obj], current: list[Obj]) -> bool:
    return any("pod" in net for net in wanted.values()) and not any("pod" in net for net in current)


def _comparable(network: Obj, ignore_nad: bool) -> Obj:
    if not ignore_nad or not network.get("multus"):
        return network
    return {**network, "multus": _without(network["multus"], "networkName")}


def _without(obj: Obj, key: str) -> Obj:
    return {k: v for k, v in obj.items() if k != key}


def _allow(last: Obj, now: Obj, *keys: str) -> None:
    """Copies what may be changed while the VM runs, so that it does not count as a difference."""
    for key in keys:
        if key in now:
            last[key] = clone(now[key])
        else:
            last.pop(key, None)


def _pruned(value: Any) -> Any:
    """The object without empty objects and lists (except ``_MEANT``), which a round trip through the API may add or
    drop.
    """
    if isinstance(value, dict):
        pruned = {k: _pruned(v) for k, v in value.items()}
        return {k: v for k, v in pruned.items() if v not in ({}, [], None) or (k in _MEANT and v is not None)}
    if isinstance(value, list):
        return [_pruned(v) for v in value]
    return value
