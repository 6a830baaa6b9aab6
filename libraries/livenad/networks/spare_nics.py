# SPDX-License-Identifier: Apache-2.0
"""Which NICs of the nodes are not in use: read from what NMState reports of each node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from livenad.api.kinds import Object, dig

_LINK_LOCAL_ROUTES = ("fe80::/64", "fe80::/10", "ff00::/8")
_PORTS = ("port", "ports")
_BASES = ("base-iface", "port1", "port2")
_USB = re.compile(r"usb\d+|idrac|enx[0-9a-f]{12}|(en|eth)\w*s\d+(f\d+)?(u\d+)+(c\d+)?(i\d+)?")
_VF_OF = re.compile(r"(?P<physical>.+?)v\d+")


def spare_nics(states: Mapping[str, Object]) -> list[str]:
    """Names of the NICs that are spare on every node; ``states``: NodeNetworkStates by node."""
    common: set[str] | None = None
    for state in states.values():
        names = {nic for nic in _ethernets(state) if not objection(state, nic) and not only_on_request(nic)}
        common = names if common is None else common & names
    return sorted(common or ())


def objections(states: Mapping[str, Object], nic: str) -> list[str]:
    """Why a NIC is not spare, a line for each node where it is not."""
    found = {node: objection(state, nic) for node, state in states.items()}
    return [f"on {node} it {why}" for node, why in found.items() if why]


def only_on_request(nic: str) -> str:
    """Why a NIC is used only when the user names it, as the end of a sentence; "" for any other."""
    return "is a USB device, such as leads to a BMC; name it by SPARE_NIC to use it" if _USB.fullmatch(nic) else ""


def candidates(states: Mapping[str, Object]) -> list[str]:
    """Names of the ethernet NICs that every node has, spare or not."""
    sets = [set(_ethernets(state)) for state in states.values()]
    return sorted(set.intersection(*sets)) if sets else []


def objection(state: Object, nic: str) -> str:
    """Why a NIC of one node is not spare, as the end of a sentence; "" when it is."""
    found = next((item for item in _interfaces(state) if item.get("name") == nic), None)
    return "is not there" if found is None else next(_doubts(state, found), "")


def former_config(states: Mapping[str, Object], nic: str) -> Object:
    """How a spare NIC is configured: what NMState is told when it is to be as it was."""
    former: Object = {"name": nic, "type": "ethernet", "state": "up"}
    state = next(iter(states.values()))
    found: Object = next((item for item in _interfaces(state) if item.get("name") == nic), {})
    for family in ("ipv4", "ipv6"):
        config = dig(found, family, default={}) or {}
        kept = {key: config[key] for key in ("enabled", "dhcp", "autoconf") if key in config}
        former[family] = kept if kept.get("enabled") else {"enabled": False}
    return former


def _doubts(state: Object, found: Object) -> Iterator[str]:
    """All that speaks against a NIC; up means that it has a carrier and that NMState manages it."""
    nic = found["name"]
    if found.get("type") != "ethernet":
        yield f"is a {found.get('type')}"
    if found.get("state") != "up":
        yield f"is {found.get('state')}: no carrier, or not managed"
    if found.get("controller"):
        yield f"belongs to {found['controller']}"
    if addresses := [text for text in _addresses(found) if not _is_link_local(text)]:
        yield f"has address {', '.join(addresses)}"
    if dig(found, "ipv4", "enabled") and dig(found, "ipv4", "dhcp"):
        yield "asks for an address by DHCP"
    yield from (
        f"is used by {item['name']}" for item in _interfaces(state) if item is not found and nic in ports_of(item)
    )
    yield from (f"has a route to {destination}" for via, destination in _routes(state) if via == nic)
    if vfs := dig(found, "ethernet", "sr-iov", "total-vfs", default=0):
        yield f"has {vfs} SR-IOV virtual functions"
    yield from (f"is a virtual function of {item['name']}" for item in _interfaces(state) if _has_function(item, found))


def _has_function(physical: Object, nic: Object) -> bool:
    """Whether a NIC is a virtual function of another one, by its MAC or by the name that udev gives it."""
    sriov = dig(physical, "ethernet", "sr-iov", default={}) or {}
    if physical is nic or not sriov.get("total-vfs"):
        return False
    macs = {str(function.get("mac-address")).lower() for function in sriov.get("vfs") or []}
    named = _VF_OF.fullmatch(str(nic["name"]))
    base = re.sub(r"np\d+$", "", str(physical["name"]))
    return str(nic.get("mac-address")).lower() in macs or (named is not None and named["physical"] == base)


def _interfaces(state: Object) -> list[Object]:
    return dig(state, "status", "currentState", "interfaces", default=[]) or []


def _ethernets(state: Object) -> Iterable[str]:
    return (str(item.get("name")) for item in _interfaces(state) if item.get("type") == "ethernet")


def _addresses(interface: Object) -> list[str]:
    return [
        str(entry.get("ip"))
        for family in ("ipv4", "ipv6")
        for entry in dig(interface, family, "address", default=[]) or []
    ]


def ports_of(interface: Any) -> set[str]:
    """What an interface is built upon, whatever its kind: ports of a bridge, bond or VRF, base of a VLAN, and so on."""
    found: set[str] = set()
    if isinstance(interface, list):
        return found.union(*map(ports_of, interface))
    if not isinstance(interface, dict):
        return found
    for key, value in interface.items():
        if key in _PORTS and isinstance(value, list):
            found |= {str(port.get("name") if isinstance(port, dict) else port) for port in value}
        elif key in _BASES and isinstance(value, str):
            found.add(value)
        found |= ports_of(value)
    # Such as sriov:ens4:1, the virtual function 1 of ens4.
    return found | {name.split(":")[1] for name in found if name.startswith("sriov:")}


def _routes(state: Object) -> list[tuple[str, str]]:
    routes = [
        (str(route.get("next-hop-interface")), str(route.get("destination")))
        for kind in ("running", "config")
        for route in dig(state, "status", "currentState", "routes", kind, default=[]) or []
    ]
    return [(via, to) for via, to in routes if to not in _LINK_LOCAL_ROUTES]


def _is_link_local(text: str) -> bool:
    try:
        return ip_address(text) in ip_network("fe80::/10")
    except ValueError:
        return False
