"""Nodes, and the segments that span them: a bridge for each segment and node, joined in a hub."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field

from emulator.fabric.model import FabricError, Segment
from emulator.fabric.netns import Builder, Namespace

# The pod network is one layer-2 segment, with an address range of its own for each node.
POD_NETWORK = Segment("pod-network")
_POD_PREFIX = 16
_PODS_PER_NODE = 253


def random_mac() -> str:
    """A locally administered unicast address."""
    octets = bytes([0x0A]) + secrets.token_bytes(5)
    return octets.hex(":")


@dataclass
class Node:
    """A node: its network namespace, the bridge of each segment that it takes part in, its pods' addresses."""

    name: str
    number: int
    namespace: Namespace
    bridges: dict[Segment, str] = field(default_factory=dict)
    _next_address: int = 0

    def new_pod_address(self) -> str:
        """``address/prefix`` of a new pod; an address comes back only after all others of the node were used."""
        self._next_address = self._next_address % _PODS_PER_NODE + 1
        return f"10.244.{self.number}.{self._next_address + 1}/{_POD_PREFIX}"

    @property
    def gateway(self) -> str:
        """The node's own address on the pod network."""
        return f"10.244.{self.number}.1"


class Topology:
    """All methods are jobs for the builder's thread."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._hub: Namespace | None = None
        self._hub_bridges: dict[Segment, str] = {}
        self._numbers = itertools.count(1)
        self.nodes: dict[str, Node] = {}

    def build(self, names: list[str]) -> None:
        self._hub = self._builder.new_namespace("hub")
        for number, name in enumerate(names, start=1):
            node = Node(name, number, self._builder.new_namespace(name))
            self.nodes[name] = node
            bridge = self.bridge_of(node, POD_NETWORK)
            node.namespace.links.add_address(bridge, f"{node.gateway}/{_POD_PREFIX}")

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            raise FabricError(f"there is no node {name!r}; there are {', '.join(self.nodes)}")
        return self.nodes[name]

    def new_name(self, kind: str) -> str:
        """A device name that occurs once in the whole fabric."""
        return f"{kind}{next(self._numbers)}"

    def bridge_of(self, node: Node, segment: Segment) -> str:
        """The segment's bridge on a node; made, and joined to the other nodes', when first asked for."""
        if segment not in node.bridges:
            if self._hub is None:
                raise FabricError("the fabric is not started")
            if segment not in self._hub_bridges:
                self._hub_bridges[segment] = self._new_bridge(self._hub)
            bridge = self._new_bridge(node.namespace)
            near, far = self.new_name("trunk"), self.new_name("leg")
            node.namespace.links.add_veth(near, far, peer_namespace=self._hub.descriptor)
            self._hub.links.change(far, master=self._hub_bridges[segment], up=True)
            node.namespace.links.change(near, master=bridge, up=True)
            node.bridges[segment] = bridge
        return node.bridges[segment]

    def _new_bridge(self, namespace: Namespace) -> str:
        name = self.new_name("seg")
        namespace.links.add_bridge(name)
        namespace.links.change(name, up=True)
        return name

    def close(self) -> None:
        for node in self.nodes.values():
            node.namespace.close()
        if self._hub:
            self._hub.close()
        self.nodes.clear()
        self._hub = None
