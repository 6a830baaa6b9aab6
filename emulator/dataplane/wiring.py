"""What a node's bridges are connected to: wires between the nodes, VLANs on them, and OVN's bridge-mappings."""

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
    """A NIC as the port of a bridge. NICs of the same name are on one wire on all nodes, others on another one.

    ``vlans`` are the tagged ones that the port lets pass, as ranges; what is untagged always passes.
    """

    nic: str
    vlans: tuple[tuple[int, int], ...] = ((FIRST_VLAN, LAST_VLAN),)

    def carries(self, vlan: int) -> bool:
        return not vlan or any(first <= vlan <= last for first, last in self.vlans)


@dataclass(frozen=True)
class Bridge:
    """A bridge that somebody has configured; without an uplink it ends at its node."""

    kind: str = LINUX
    uplink: Uplink | None = None


@dataclass(frozen=True)
class Place:
    """Where a segment is on a node: a VLAN of a bridge, and the wire that it goes on over ("" for none)."""

    bridge: str
    vlan: int
    wire: str


@dataclass(frozen=True)
class Wiring:
    """One node's configuration: bridges by name, and the bridge of each localnet name."""

    bridges: Mapping[str, Bridge] = field(default_factory=dict)
    mappings: Mapping[str, str] = field(default_factory=dict)

    def place(self, segment: Segment) -> Place | None:
        """None where OVN has no mapping for a localnet: it says nothing and carries nothing.

        DataPlaneError as the bridge plugin has it, where the bridge's name belongs to something else.
        """
        if segment.kind == "overlay":
            return Place(f"overlay {segment.bridge}", segment.vlan, f"overlay {segment.bridge}")
        if segment.kind == "localnet":
            name = self.mappings.get(segment.bridge, "")
            bridge = self.bridges.get(name)
            if bridge is None or bridge.kind != OVS:
                return None
        else:
            # The plugin makes a bridge that is not there.
            name = segment.bridge
            bridge = self.bridges.get(name, Bridge())
            if bridge.kind != LINUX:
                raise DataPlaneError(f'failed to create bridge "{name}": "{name}" already exists but is not a bridge')
        uplink = bridge.uplink
        return Place(name, segment.vlan, uplink.nic if uplink and uplink.carries(segment.vlan) else "")


# What every node has from its first moment: the bridge of its own address, and two for the guests' networks.
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
