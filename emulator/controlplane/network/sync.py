"""The parts of a VM's networks that are copied to its running VMI: hot-plug, unplug, link state, NAD references."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane.accessors import by_name, interfaces, is_absent, networks

Obj = dict[str, Any]


def synced(
    vm: Obj, vmi: Obj, *, copy_nad: bool, plug: bool = True, copy_cards: bool = False
) -> tuple[list[Obj], list[Obj]]:
    """(networks, interfaces) that the VMI should have; equal to its own if there is nothing to copy.

    ``plug``: whether new NICs are copied; ``copy_cards``: whether interfaces are copied whole.
    """
    template = vm["spec"]["template"]["spec"]
    wanted_cards, wanted_networks = by_name(interfaces(template)), by_name(networks(template))
    cards, nets = clone(interfaces(vmi["spec"])), clone(networks(vmi["spec"]))

    for card in cards:
        wanted_card = wanted_cards.get(card["name"])
        if copy_cards and wanted_card is not None:
            card.clear()
            card.update(clone(wanted_card))
        _copy_state(card, wanted_card)
    known = {card["name"] for card in cards}
    for name, card in wanted_cards.items():
        network = wanted_networks.get(name)
        if plug and name not in known and network is not None and _can_be_plugged(card, network):
            cards.append(clone(card))
            nets.append(clone(network))
    gone = detached(vmi)
    cards = [card for card in cards if card["name"] not in gone]
    nets = [net for net in nets if net["name"] not in gone]
    if copy_nad:
        for net in nets:
            wanted = wanted_networks.get(net["name"])
            if wanted is not None and net.get("multus") and wanted.get("multus"):
                net["multus"]["networkName"] = wanted["multus"]["networkName"]
    return nets, cards


def detached(vmi: Obj) -> set[str]:
    """NICs marked absent that the guest no longer has."""
    reported = {i.get("name") for i in vmi.get("status", {}).get("interfaces") or []}
    started = vmi.get("status", {}).get("phase") == "Running"
    absent = {card["name"] for card in interfaces(vmi["spec"]) if is_absent(card)}
    return {name for name in absent if started and name not in reported}


def patch_of(vmi: Obj, nets: list[Obj], cards: list[Obj]) -> list[Obj]:
    """The JSON patch that virt-controller sends; empty if nothing changes."""
    patch: list[Obj] = []
    if nets != networks(vmi["spec"]):
        patch += [
            {"op": "test", "path": "/spec/networks", "value": networks(vmi["spec"])},
            {"op": "add", "path": "/spec/networks", "value": nets},
        ]
    if cards != interfaces(vmi["spec"]):
        path = "/spec/domain/devices/interfaces"
        patch += [
            {"op": "test", "path": path, "value": interfaces(vmi["spec"])},
            {"op": "add", "path": path, "value": cards},
        ]
    return patch


def without(vm: Obj, names: set[str]) -> Obj:
    """The VM with these NICs and their networks taken out of its template."""
    changed: Obj = clone(vm)
    template = changed["spec"]["template"]["spec"]
    template["networks"] = [n for n in networks(template) if n["name"] not in names]
    devices = template["domain"]["devices"]
    devices["interfaces"] = [c for c in interfaces(template) if c["name"] not in names]
    return changed


def _copy_state(card: Obj, wanted: Obj | None) -> None:
    if wanted is None or wanted.get("state") == card.get("state"):
        return
    if wanted.get("state"):
        card["state"] = wanted["state"]
    else:
        card.pop("state", None)


def _can_be_plugged(card: Obj, network: Obj) -> bool:
    return not is_absent(card) and bool(network.get("multus")) and ("bridge" in card or "sriov" in card)
