# SPDX-License-Identifier: Apache-2.0
"""The wiring of a node: what its bridges are connected to, with VLANs and OVN's bridge-mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from emulator.dataplane.errors import DataPlaneError

LINUX, OVS = "linux-bridge", "ovs-bridge"
FIRST_VLAN, LAST_VLAN = 1, 4094


@dataclass(frozen=True)
class Segment:
    """A layer-2 network as its configuration names it: a name and a VLAN id, 0 for untagged.

    ``kind`` says what the name refers to: a ``bridge``, a ``localnet`` (OVN's bridge-mapping leads to a bridge), or an
    ``overlay``, which is on all nodes. A node's ``Wiring`` decides how far the network reaches.
    """

    bridge: str
    vlan: int = 0
    kind: str = "bridge"


@dataclass(frozen=True)
class Uplink:
    """A NIC as the port of a bridge. NICs with the same name are connected on all nodes, others are not.

    ``vlans`` are the ranges of tagged VLANs that the port passes; untagged frames always pass.
    """

    nic: str
    vlans: tuple[tuple[int, int], ...] = ((FIRST_VLAN, LAST_VLAN),)

    def carries(self, vlan: int) -> bool:
        return not vlan or any(first <= vlan <= last for first, last in self.vlans)


@dataclass(frozen=True)
class Bridge:
    """A configured bridge; without an uplink it ends at its node."""

    kind: str = LINUX
    uplink: Uplink | None = None


@dataclass(frozen=True)
class Place:
    """The location of a segment on a node: a VLAN of a bridge, and the wire that it continues on ("" for none)."""

    bridge: str
    vlan: int
    wire: str


@dataclass(frozen=True)
class Wiring:
    """One node's configuration: bridges by name, and the bridge of each localnet name."""

    bridges: Mapping[str, Bridge] = field(default_factory=dict)
    mappings: Mapping[str, str] = field(default_factory=dict)

    def place(self, segment: Segment) -> Place | None:
        """None if OVN has no mapping for a localnet: it reports nothing and carries nothing.

        DataPlaneError with the bridge plugin's message if the bridge's name is used for something else.
        """
        if segment.kind == "overlay":
            return Place(f"overlay {segment.bridge}", segment.vlan, f"overlay {segment.bridge}")
        if segment.kind == "localnet":
            name = self.mappings.get(segment.bridge, "")
            bridge = self.bridges.get(name)
            if bridge is None or bridge.kind != OVS:
                return None
        else:
            # The plugin creates a bridge that does not exist.
            name = segment.bridge
            bridge = self.bridges.get(name, Bridge())
            if bridge.kind != LINUX:
                raise DataPlaneError(f'failed to create bridge "{name}": "{name}" already exists but is not a bridge')
        uplink = bridge.uplink
        return Place(name, segment.vlan, uplink.nic if uplink and uplink.carries(segment.vlan) else "")


# The initial wiring of every node: the bridge of its own address, and two for the guests' networks.
NODE_WIRING = Wiring(
    MappingProxyType(
        {
            "br-ex": Bridge(OVS, Uplink("ens1")),
            "br1": Bridge(LINUX, Uplink("ens2")),
            "br2": Bridge(LINUX, Uplink("ens3")),
        }
    ),
    MappingProxyType({"physnet": "br-ex"}),
)
SPARE_NICS = ("ens4", "ens5")
