# SPDX-License-Identifier: Apache-2.0
"""Whether the nodes have what the chosen profile says of their networks; reads, and makes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from livenad.api.api_errors import ApiError
from livenad.api.kinds import NODE_STATE, Object, dig, meta
from livenad.cluster import environment
from livenad.cluster.environment import Lab

_PAGE = 20
_MOST = 40
"""Node states that are looked at: each is large."""

_SHOWN = 4


def chosen_networks(lab: Lab) -> tuple[str, list[str]]:
    """What is known of the networks that variable NODE_NETWORK names, and its problems, each with a remedy."""
    settings = lab.settings
    if settings.node_network == "node-local":
        return "NODE_NETWORK is node-local: bridges without an uplink, made on one node", []
    if settings.node_network == "nmstate":
        found = environment.nmstate(lab)
        lack = (
            f"variable NODE_NETWORK is nmstate, and {found.value}; install the NMState operator and create "
            "NMState/nmstate, or choose a profile with bridges of your own"
        )
        return f"NODE_NETWORK is nmstate; {found.value}", [lack] if found.there is False else []
    nodes = lab.facts.nodes
    usable = nodes.fit or nodes.usable if nodes else ()
    marks = nodes.bridges if nodes else {}
    return judge_bridge(settings.bridge, usable, marks, _node_states(lab), settings.vlans)


def judge_bridge(
    bridge: str,
    usable: Sequence[str],
    marks: Mapping[str, Sequence[str]],
    states: Mapping[str, Object],
    vlans: Sequence[int],
) -> tuple[str, list[str]]:
    """The same of a bridge that has to be there: ``marks`` are the bridges by node, as bridge-marker tells them.

    ``states`` are NodeNetworkStates by node. Without either nothing is missing as far as can be told.
    """
    told = set(usable) if any(marks.values()) else set(usable).intersection(states)
    there = [name for name in usable if bridge in marks.get(name, ()) or _interface(states.get(name), bridge)]
    if not told or (len(there) < 2 and len(told) < len(usable)):
        unknown = "whether all nodes have it is not known (only bridge-marker and NMState, two add-ons, tell that)"
        return f"bridge {bridge}, by variable BRIDGE; {unknown}", []
    value = f"bridge {bridge} is on {len(there)} of {len(usable)} usable nodes"
    if len(there) < 2:
        others = sorted({name for names in marks.values() for name in names} - {bridge})
        known = f"; bridges of the nodes: {', '.join(others[:_SHOWN])}" if others else ""
        lack = (
            f"bridge {bridge} (variable BRIDGE) is on {_few(there)} of the usable nodes {_few(usable)}, and a VM moves "
            f"between two of them{known}; make the bridge on every node with an uplink, or name yours by BRIDGE"
        )
        return value, [lack]
    lacks = [lack for name in there if name in states for lack in _of_uplink(name, states[name], bridge, vlans)]
    return value, lacks


def _of_uplink(node: str, state: Object, bridge: str, vlans: Sequence[int]) -> Iterator[str]:
    """Why VLANs of this run do not leave a node, as far as its NodeNetworkState tells."""
    found = _interface(state, bridge)
    if not found or found.get("type") != "linux-bridge":
        return
    ports = dig(found, "bridge", "port", default=[]) or []
    if not ports:
        yield f"bridge {bridge} on {node} has no port, so no VLAN leaves the node; attach its uplink to the bridge"
        return
    filters = [dig(port, "vlan", default={}) or {} for port in ports]
    trunks = [one.get("trunk-tags") or [] for one in filters if one.get("mode") == "trunk"]
    if len(trunks) < len(ports):
        return
    passing = {number for tags in trunks for tag in tags for number in _numbers(tag)}
    if passing.isdisjoint(vlans):
        yield (
            f"no port of bridge {bridge} on {node} passes any of the VLANs {vlans[0]} to {vlans[-1]} (variable VLANS); "
            "allow them there, or name others by VLANS"
        )


def _numbers(tag: Object) -> range:
    if "id" in tag:
        return range(int(tag["id"]), int(tag["id"]) + 1)
    return range(int(dig(tag, "id-range", "min") or 0), int(dig(tag, "id-range", "max") or -1) + 1)


def _interface(state: Object | None, name: str) -> Object | None:
    interfaces = dig(state or {}, "status", "currentState", "interfaces", default=[]) or []
    return next((item for item in interfaces if item.get("name") == name), None)


def _node_states(lab: Lab) -> dict[str, Object]:
    """By node; empty where NMState is not served or the user may not read them."""
    if not lab.facts.serves("nmstate.io"):
        return {}
    found: dict[str, Object] = {}
    try:
        for states, _ in lab.cluster.pages(NODE_STATE, _PAGE):
            found |= {str(meta(state, "name")): state for state in states}
            if len(found) >= _MOST:
                break
    except ApiError as error:
        if error.status not in (403, 404):
            raise
    return found


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) + more) or "none"
