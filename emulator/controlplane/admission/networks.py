# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's validation of networks and interfaces. ``prefix`` is ``spec`` or ``spec.template.spec``."""

from __future__ import annotations

import re

from emulator.controlplane.accessors import by_name, interfaces, is_secondary, networks
from emulator.controlplane.admission.denials import DUPLICATE, INVALID, REQUIRED, UNSUPPORTED, Obj, cause
from emulator.controlplane.settings import Settings

BINDINGS = ("bridge", "masquerade", "sriov", "passtBinding", "binding")
DISCONTINUED = {
    "slirp": "Slirp interface support has been",
    "macvtap": "Macvtap network binding has been",
    "passt": "Passt network binding has been",
}
MODELS = ("e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139", "virtio")
MAC = re.compile(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")
LONG_MAC = re.compile(r"([0-9a-fA-F]{2}[:-]){7}[0-9a-fA-F]{2}")
PCI = re.compile(r"[\da-fA-F]{4}:[\da-fA-F]{2}:[0-1][\da-fA-F]\.[0-7]")
NO_NETWORK_NAME = "CNI delegating plugin must have a networkName"
NAME = re.compile(r"[A-Za-z0-9-_]+")
REPORTED_TWICE = re.compile(
    f"{NO_NETWORK_NAME}|must have exactly one binding method|interface's state|only implemented with pod network"
)


def check_discontinued(spec: Obj) -> list[Obj]:
    """Bindings that no longer exist. Where there are any, a VM's other mistakes are not looked for."""
    return [
        cause(INVALID, f"{called} discontinued since v1.3", f"spec.domain.devices.interfaces[{index}].{binding}")
        for index, nic in enumerate(interfaces(spec))
        for binding, called in DISCONTINUED.items()
        if binding in nic
    ]


def check_networks(prefix: str, spec: Obj, settings: Settings) -> list[Obj]:
    nets, nics = networks(spec), interfaces(spec)
    path = f"{prefix}.domain.devices.interfaces"
    causes = _sources(prefix, nets)
    causes += _names(prefix, nets)
    for index, nic in enumerate(nics):
        causes += _binding(f"{path}[{index}]", nic, by_name(nets).get(nic["name"]), settings)
    causes += _assigned(prefix, nets, nics)
    boot_orders: set[int] = set()
    for index, nic in enumerate(nics):
        causes += _details(prefix, f"{path}[{index}]", index, nic, boot_orders=boot_orders, settings=settings)
    return causes


def _sources(prefix: str, nets: list[Obj]) -> list[Obj]:
    found = []
    if sum("pod" in net for net in nets) > 1 or any(_kinds(net) > 1 and "pod" in net for net in nets):
        where = f"{prefix}.interfaces"
        found.append(cause(DUPLICATE, f"more than one interface is connected to a pod network in {where}", where))
    defaults = sum(bool((net.get("multus") or {}).get("default")) for net in nets)
    if defaults > 1:
        text = "Multus CNI should only have one default network"
        found.append(cause(INVALID, text, f"{prefix}.networks"))
    elif defaults and any("pod" in net for net in nets):
        text = "Pod network cannot be defined when Multus default network is defined"
        found.append(cause(INVALID, text, f"{prefix}.networks"))
    for index, net in enumerate(nets):
        where = f"{prefix}.networks[{index}]"
        if not _kinds(net):
            found.append(cause(REQUIRED, "should have a network type", where))
        elif _kinds(net) > 1:
            found.append(cause(REQUIRED, "should have only one network type", where))
        elif net.get("multus") is not None and not net["multus"].get("networkName"):
            found.append(cause(REQUIRED, NO_NETWORK_NAME, where))
    return found


def _kinds(net: Obj) -> int:
    return sum(net.get(kind) is not None for kind in ("pod", "multus", "resourceClaim"))


def _names(prefix: str, nets: list[Obj]) -> list[Obj]:
    found, seen = [], set()
    for index, net in enumerate(nets):
        if net["name"] in seen:
            text = f'Network with name "{net["name"]}" already exists, every network must have a unique name'
            found.append(cause(DUPLICATE, text, f"{prefix}.networks[{index}].name"))
        seen.add(net["name"])
    return found


def _binding(where: str, nic: Obj, net: Obj | None, settings: Settings) -> list[Obj]:
    found = _state(where, nic, net)
    name = nic["name"]
    if settings.profile.binding_required and sum(nic.get(binding) is not None for binding in BINDINGS) != 1:
        text = f"logical {name} interface must have exactly one binding method or binding plugin"
        found.append(cause(INVALID, text, where))
    if nic.get("passtBinding") is not None and not settings.profile.binding_required:
        found.append(cause(INVALID, "PasstBinding feature gate is not enabled", f"{where}.name"))
    on_pod = net is not None and net.get("pod") is not None
    for binding, called in (("masquerade", "Masquerade"), ("passtBinding", "PasstBinding")):
        if nic.get(binding) is not None and not on_pod:
            text = f"{called} interface only implemented with pod network"
            found.append(cause(INVALID, text, f"{where}.name"))
    return found


def _state(where: str, nic: Obj, net: Obj | None) -> list[Obj]:
    name, state = nic["name"], nic.get("state")
    if state not in (None, "", "up", "down", "absent"):
        text = f"logical {name} interface state value is unsupported: {state}"
        return [cause(INVALID, text, f"{where}.state")]
    wrong = []
    if state == "absent" and nic.get("bridge") is None:
        wrong.append("supported only for bridge binding")
    if state == "absent" and net is not None and not is_secondary(net):
        wrong.append("not supported on default networks")
    return [cause(INVALID, f'"{name}" interface\'s state "absent" is {why}', f"{where}.state") for why in wrong]


def is_reported_twice(found: Obj) -> bool:
    """Whether a mistake stands twice in the refusal of a VMI: two of virt-api's checks look for it."""
    return bool(REPORTED_TWICE.search(found["message"]))


def _assigned(prefix: str, nets: list[Obj], nics: list[Obj]) -> list[Obj]:
    found, used = [], set()
    known, wanted = by_name(nets), by_name(nics)
    for index, nic in enumerate(nics):
        where = f"{prefix}.domain.devices.interfaces[{index}].name"
        if nic["name"] in used:
            text = "Only one interface can be connected to one specific network"
            found.append(cause(DUPLICATE, text, where))
        elif nic["name"] not in known:
            found.append(cause(INVALID, f"{where} '{nic['name']}' not found.", where))
        used.add(nic["name"])
    for index, net in enumerate(nets):
        where = f"{prefix}.networks[{index}].name"
        if net["name"] not in wanted:
            found.append(cause(REQUIRED, f"{where} '{net['name']}' not found.", where))
    return found


def _details(prefix: str, where: str, index: int, nic: Obj, *, boot_orders: set[int], settings: Settings) -> list[Obj]:
    found = []
    if not NAME.fullmatch(nic["name"]):
        text = "Network interface name can only contain alphabetical characters, numbers, dashes (-) or underscores (_)"
        found.append(cause(INVALID, text, f"{where}.name"))
    model, mac, pci = nic.get("model"), nic.get("macAddress"), nic.get("pciAddress")
    if model and model not in MODELS:
        text = f"interface {where}.name uses model {model} that is not supported."
        found.append(cause(UNSUPPORTED, text, f"{where}.model"))
    if mac and not MAC.fullmatch(mac):
        kind = "too long" if LONG_MAC.fullmatch(mac) else "malformed"
        text = f"interface {where}.name has {kind} MAC address ({mac})."
        found.append(cause(INVALID, text, f"{where}.macAddress"))
    if pci and not PCI.fullmatch(pci):
        text = f"interface {where}.name has malformed PCI address ({pci})."
        found.append(cause(INVALID, text, f"{where}.pciAddress"))
    order = nic.get("bootOrder")
    if order is not None and order < 1:
        text = f"{prefix}[{index}] must have a boot order > 0, if supplied"
        found.append(cause(INVALID, text, f"{prefix}[{index}].bootOrder"))
    elif order in boot_orders:
        text = f"Boot order for {where}.bootOrder already set for a different device."
        found.append(cause(INVALID, text, f"{where}.bootOrder"))
    if order is not None:
        boot_orders.add(order)
    return found + _ports(where, nic, settings)


def _ports(where: str, nic: Obj, settings: Settings) -> list[Obj]:
    found = []
    for index, port in enumerate(nic.get("ports") or []):
        at = f"{where}.ports[{index}]"
        if not port.get("port"):
            field = f"{at}.port" if settings.profile.binding_required else at
            found.append(cause(REQUIRED, "Port field is mandatory.", field))
        if port.get("protocol") not in (None, "", "TCP", "UDP"):
            text = "Unknown protocol, only TCP or UDP allowed"
            found.append(cause(INVALID, text, f"{at}.protocol"))
    return found
