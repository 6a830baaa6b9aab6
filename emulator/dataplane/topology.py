# SPDX-License-Identifier: Apache-2.0
"""Nodes and the wires between them.

Each VLAN of a node's bridge is a Linux bridge of its own. If it has an uplink, it is joined to the others in a hub.
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.host_link import HostLink
from emulator.dataplane.netns import Builder, Namespace
from emulator.dataplane.wiring import NODE_WIRING, Place, Segment, Wiring

# The pod network is one layer-2 segment, with an address range of its own for each node.
POD_NETWORK = Segment("pod-network", kind="overlay")
_POD_PREFIX = 16
_PODS_PER_NODE = 253


def random_mac() -> str:
    """A locally administered unicast address."""
    octets = bytes([0x0A]) + secrets.token_bytes(5)
    return octets.hex(":")


@dataclass
class Switch:
    """A VLAN of a bridge on one node: its device, its wire, and the device that leads there."""

    device: str
    wire: str = ""
    trunk: str = ""


@dataclass
class Node:
    """A node: its network namespace, its wiring, its switches, the devices plugged in, and its pods' addresses."""

    name: str
    number: int
    namespace: Namespace
    wiring: Wiring = NODE_WIRING
    switches: dict[tuple[str, int], Switch] = field(default_factory=dict)
    ports: dict[str, Segment] = field(default_factory=dict)
    _next_address: int = 0

    def new_pod_address(self) -> str:
        """``address/prefix`` of a new pod; an address is reused only after all others of the node."""
        self._next_address = self._next_address % _PODS_PER_NODE + 1
        return f"10.244.{self.number}.{self._next_address + 1}/{_POD_PREFIX}"

    @property
    def gateway(self) -> str:
        """The node's own address on the pod network."""
        return f"10.244.{self.number}.1"


class Topology:
    """All methods must run in the builder's thread."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._hub: Namespace | None = None
        self._hub_bridges: dict[tuple[str, int], str] = {}
        self._numbers = itertools.count(1)
        self.nodes: dict[str, Node] = {}

    def build(self, names: list[str]) -> None:
        self._hub = self._builder.new_namespace("hub")
        for number, name in enumerate(names, start=1):
            node = Node(name, number, self._builder.new_namespace(name))
            self.nodes[name] = node
            bridge = self.bridge_of(node, POD_NETWORK)
            node.namespace.links.add_address(bridge, f"{node.gateway}/{_POD_PREFIX}")

    def connect_host(self, link: HostLink) -> None:
        """Connects this machine to the pod network, by the first node."""
        node, device = next(iter(self.nodes.values())), self.new_name("host")
        link.connect(node.namespace.descriptor, device)
        self.plug(node, device, POD_NETWORK)

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            raise DataPlaneError(f"there is no node {name!r}; there are {', '.join(self.nodes)}")
        return self.nodes[name]

    def new_name(self, kind: str) -> str:
        """A device name that is unique in the whole data plane."""
        return f"{kind}{next(self._numbers)}"

    def bridge_of(self, node: Node, segment: Segment) -> str:
        """The segment's bridge on a node, created on the first call; "" if the segment does not exist there.

        DataPlaneError if the bridge's name is used for something else on the node.
        """
        place = node.wiring.place(segment)
        return self._device(node, place) if place else ""

    def plug(self, node: Node, device: str, segment: Segment) -> None:
        """Plugs a device of the node into a segment; it follows the segment when the node is rewired."""
        master = self.bridge_of(node, segment)
        node.ports[device] = segment
        node.namespace.links.change(device, master=master, up=True)

    def unplug(self, node: Node, device: str) -> None:
        """Forgets a device that is about to be removed."""
        node.ports.pop(device, None)

    def rewire(self, node: Node, wiring: Wiring) -> None:
        lost = node.wiring.bridges.keys() - wiring.bridges.keys()
        node.wiring = wiring
        for device, segment in list(node.ports.items()):
            gone = segment.kind == "bridge" and segment.bridge in lost
            try:
                place = None if gone else wiring.place(segment)
            except DataPlaneError:
                gone, place = True, None
            if gone:
                # It is not plugged in again: a new bridge of that name is a different one.
                self.unplug(node, device)
            master = self._device(node, place) if place else ""
            node.namespace.links.change(device, master=master)

    def _device(self, node: Node, place: Place) -> str:
        key = (place.bridge, place.vlan)
        if key not in node.switches:
            node.switches[key] = Switch(self._new_bridge(node.namespace))
        switch = node.switches[key]
        if switch.wire != place.wire:
            self._join(node, switch, place)
        return switch.device

    def _join(self, node: Node, switch: Switch, place: Place) -> None:
        """Disconnects a switch from its wire, and connects it to the new one if there is one."""
        if self._hub is None:
            raise DataPlaneError("the data plane is not started")
        if switch.trunk:
            node.namespace.links.silence_port(switch.trunk)
            node.namespace.links.delete_if_there(switch.trunk)
        switch.wire, switch.trunk = place.wire, ""
        if not place.wire:
            return
        wire = (place.wire, place.vlan)
        if wire not in self._hub_bridges:
            self._hub_bridges[wire] = self._new_bridge(self._hub)
        switch.trunk, far = self.new_name("trunk"), self.new_name("leg")
        node.namespace.links.add_veth(switch.trunk, far, peer_namespace=self._hub.descriptor)
        self._hub.links.change(far, master=self._hub_bridges[wire], up=True)
        node.namespace.links.change(switch.trunk, master=switch.device, up=True)

    def _new_bridge(self, namespace: Namespace) -> str:
        name = self.new_name("seg")
        namespace.links.add_bridge(name)
        # A fixed MAC. Otherwise the bridge takes the lowest one of its ports, which changes as pods come and go, and
        # neighbours that know the old one lose the node for seconds.
        namespace.links.change(name, mac=random_mac(), up=True)
        return name

    def close(self) -> None:
        for node in self.nodes.values():
            node.namespace.close()
        if self._hub:
            self._hub.close()
        self.nodes.clear()
        self._hub = None
