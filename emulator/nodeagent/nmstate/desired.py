# SPDX-License-Identifier: Apache-2.0
"""Applies a policy's desired state to a node's state, or refuses it with NMState's message."""

from __future__ import annotations

import copy
from typing import Any

from ...dataplane.wiring import LINUX, OVS
from .state import BRIDGES, INTERNAL, State, created, find, ports_of

LONGEST_NAME = 15
CREATABLE = (*BRIDGES, INTERNAL, "bond", "vlan", "dummy", "veth", "vrf", "vxlan")
ALL_TAGS = {"mode": "trunk", "trunk-tags": [{"id-range": {"min": 2, "max": 4094}}]}


class NmstateError(Exception):
    """A desired state that is refused; the message begins with its kind, such as ``InvalidArgument: ...``."""


def with_defaults(desired: State) -> State:
    """Adds the handler's defaults to a desired state: VLAN filtering on each port of a Linux bridge."""
    found = copy.deepcopy(desired)
    for interface in found.get("interfaces") or []:
        if interface.get("type") == LINUX and interface.get("state", "up") == "up":
            for port in ports_of(interface):
                port.setdefault("vlan", copy.deepcopy(ALL_TAGS))
    return found


def apply(current: State, desired: State) -> State:
    """The new state; ``current`` is not changed. NmstateError if the desired state is refused."""
    state = copy.deepcopy(current)
    wished: list[State] = desired.get("interfaces") or []
    for interface in wished:
        _check(interface)
    for interface in wished:
        if interface.get("state") == "absent":
            _remove(state, interface)
    staying = [interface for interface in wished if interface.get("state", "up") != "absent"]
    for interface in staying:
        _put(state, interface)
    for interface in staying:
        if interface.get("type") in BRIDGES and "port" in (interface.get("bridge") or {}):
            _enslave(state, interface)
    _map(state, (desired.get("ovn") or {}).get("bridge-mappings") or [])
    return state


def _check(interface: State) -> None:
    name = interface.get("name")
    if not name:
        raise NmstateError("InvalidArgument: Failed to deserialize interface: missing field `name`")
    if len(name) > LONGEST_NAME and interface.get("type") != OVS:
        raise NmstateError(f"InvalidArgument: Interface name {name} is longer than {LONGEST_NAME} characters")


def _remove(state: State, wished: State) -> None:
    name, kind = wished["name"], wished.get("type", "")
    for interface in [i for i in state["interfaces"] if i["name"] == name and kind in ("", i["type"])]:
        if interface["type"] in ("ethernet", "loopback"):
            # A physical NIC cannot be removed; it loses its configuration.
            interface["state"] = "down"
            continue
        state["interfaces"].remove(interface)
        for port in ports_of(interface):
            _release(state, port["name"], name)


def _release(state: State, port: str, bridge: str) -> None:
    """A former port stays down, unless it is configured again."""
    interface = find(state, port)
    if interface and interface.get("controller") == bridge:
        del interface["controller"]
        interface["state"] = "down"


def _put(state: State, wished: State) -> None:
    name, kind = wished["name"], wished.get("type", "")
    known = find(state, name, kind) if kind else find(state, name) or find(state, name, OVS)
    if known is None:
        if kind not in CREATABLE:
            raise NmstateError(f"InvalidArgument: Ethernet interface {name} does not exists")
        other = next((i for i in state["interfaces"] if i["name"] == name and i["type"] in BRIDGES), None)
        if other and kind in BRIDGES:
            _remove(state, other)
        known = created(wished)
        state["interfaces"].append(known)
    _merge(known, {key: value for key, value in wished.items() if key != "bridge"})
    known["state"] = wished.get("state", "up")
    if kind in BRIDGES:
        bridge = known.setdefault("bridge", {"options": {"stp": {"enabled": False}}, "port": []})
        _merge(bridge, {key: value for key, value in (wished.get("bridge") or {}).items() if key != "port"})


def _merge(into: State, more: State) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def _enslave(state: State, wished: State) -> None:
    """Gives a bridge exactly the wanted ports; each leaves the bridge that it was in."""
    name, kind = wished["name"], wished["type"]
    bridge = find(state, name, kind)
    ports = ports_of(wished)
    names = [port["name"] for port in ports]
    for port in names:
        interface = find(state, port)
        if interface is None:
            raise NmstateError(f"InvalidArgument: Ethernet interface {port} does not exists")
        for other in state["interfaces"]:
            if other is not bridge and port in [p["name"] for p in ports_of(other)]:
                other["bridge"]["port"] = [p for p in ports_of(other) if p["name"] != port]
        interface["controller"] = name
        interface["state"] = "up"
    if bridge is None:
        return
    for old in ports_of(bridge):
        if old["name"] not in names:
            _release(state, old["name"], name)
    bridge["bridge"]["port"] = copy.deepcopy(ports)


def _map(state: State, wished: list[dict[str, Any]]) -> None:
    names = [entry.get("localnet", "") for entry in wished]
    for name in names:
        if names.count(name) > 1:
            raise NmstateError(f"InvalidArgument: Found duplicate `localnet` key {name}")
    for entry in wished:
        others = [old for old in state["ovn"]["bridge-mappings"] if old["localnet"] != entry.get("localnet")]
        if entry.get("state", "present") == "present":
            if not entry.get("bridge"):
                raise NmstateError("InvalidArgument: mapping for `localnet` key without a `bridge`")
            others.append({"localnet": entry["localnet"], "bridge": entry["bridge"]})
        state["ovn"]["bridge-mappings"] = others
