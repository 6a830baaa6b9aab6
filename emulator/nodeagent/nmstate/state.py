# SPDX-License-Identifier: Apache-2.0
"""A node's network configuration in NMState's form, and the wiring that it results in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...dataplane.wiring import LINUX, NODE_WIRING, OVS, SPARE_NICS, Bridge, Uplink, Wiring

State = dict[str, Any]
BRIDGES = (LINUX, OVS)
INTERNAL = "ovs-interface"


def first_state(number: int, address: str) -> State:
    """The initial state of a node: ``number`` counts the nodes from 1, ``address`` is the node's own."""
    interfaces: list[State] = [_loopback()]
    for name, bridge in sorted(NODE_WIRING.bridges.items()):
        nic = bridge.uplink.nic if bridge.uplink else ""
        ports = [{"name": nic}] if bridge.kind == LINUX else [{"name": nic}, {"name": name}]
        interfaces.append(_interface(name, bridge.kind) | {"bridge": {"options": _options(), "port": ports}})
        if bridge.kind == OVS:
            own = {"enabled": True, "dhcp": True, "address": [{"ip": address, "prefix-length": 24}]}
            interfaces.append(_interface(name, INTERNAL) | {"ipv4": own, "controller": name})
        interfaces.append(_nic(nic, number) | {"controller": name})
    interfaces += [_nic(name, number) for name in SPARE_NICS]
    mappings = [{"localnet": name, "bridge": bridge} for name, bridge in NODE_WIRING.mappings.items()]
    gateway = address.rpartition(".")[0] + ".1"
    route = {
        "destination": "0.0.0.0/0",
        "next-hop-address": gateway,
        "next-hop-interface": "br-ex",
        "metric": 48,
        "table-id": 254,
    }
    return {
        "dns-resolver": {"config": {}, "running": {"search": [], "server": [gateway]}},
        "interfaces": interfaces,
        "ovn": {"bridge-mappings": mappings},
        "routes": {"config": [], "running": [route]},
    }


def _options() -> State:
    return {"stp": {"enabled": False}}


def _interface(name: str, kind: str) -> State:
    return {
        "name": name,
        "type": kind,
        "state": "up",
        "mtu": 1500,
        "ipv4": {"enabled": False, "address": []},
        "ipv6": {"enabled": False, "address": []},
    }


def _loopback() -> State:
    own = {"enabled": True, "address": [{"ip": "127.0.0.1", "prefix-length": 8}]}
    return _interface("lo", "loopback") | {"mtu": 65536, "ipv4": own}


def _nic(name: str, number: int) -> State:
    mac = f"52:54:00:{number:02x}:00:{int(name.removeprefix('ens')):02x}".upper()
    hardware = {"auto-negotiation": True, "duplex": "full", "speed": 10000}
    more = {"mac-address": mac, "permanent-mac-address": mac, "lldp": {"enabled": False}, "ethernet": hardware}
    return _interface(name, "ethernet") | more


def created(wished: State) -> State:
    """A new interface of the wanted type."""
    return _interface(wished["name"], wished["type"])


def find(state: State, name: str, kind: str = "") -> State | None:
    """An interface by name; without a type not an Open vSwitch bridge, which is not a kernel device."""
    for interface in state["interfaces"]:
        fits = interface["type"] == kind if kind else interface["type"] != OVS
        if interface["name"] == name and fits:
            found: State = interface
            return found
    return None


def ports_of(interface: State) -> list[State]:
    return list((interface.get("bridge") or {}).get("port") or [])


def wiring_of(state: State) -> Wiring:
    """The data plane's wiring for a state. Of a bridge's NICs the first one is the uplink."""
    bridges = {}
    for interface in state["interfaces"]:
        if interface["type"] in BRIDGES and interface.get("state", "up") == "up":
            uplinks = (_uplink(interface, port) for port in ports_of(interface) if _is_nic(state, port["name"]))
            bridges[interface["name"]] = Bridge(interface["type"], next(uplinks, None))
    mappings = {entry["localnet"]: entry["bridge"] for entry in state["ovn"]["bridge-mappings"]}
    return Wiring(bridges, mappings)


def _is_nic(state: State, name: str) -> bool:
    interface = find(state, name)
    return interface is not None and interface["type"] != INTERNAL and interface.get("state") == "up"


def _uplink(bridge: State, port: State) -> Uplink:
    """An access port carries no tags; neither does a trunk port that lists none."""
    vlan = port.get("vlan")
    if bridge["type"] == OVS or not vlan:
        return Uplink(port["name"])
    tags = vlan.get("trunk-tags") or [] if vlan.get("mode", "trunk") == "trunk" else []
    return Uplink(port["name"], tuple(_ranges(tags)))


def _ranges(tags: list[State]) -> Iterator[tuple[int, int]]:
    for tag in tags:
        if "id-range" in tag:
            yield int(tag["id-range"]["min"]), int(tag["id-range"]["max"])
        else:
            yield int(tag["id"]), int(tag["id"])
