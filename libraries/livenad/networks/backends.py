# SPDX-License-Identifier: Apache-2.0
"""What stands behind "bridge", "other bridge" and "localnet" in this run, as the variables choose."""

from __future__ import annotations

from collections.abc import Callable

from livenad.api.recorder import Heartbeat, silent
from livenad.cluster.nodes import NodeFacts
from livenad.errors import LAB_ERROR_PREFIX, CapabilityMissing
from livenad.networks.attachment import NetworkBackend, Place, Technique
from livenad.networks.leasebook import LeaseBook
from livenad.networks.nic_leases import NoSpareNic
from livenad.networks.node_networks import NodeNetworks
from livenad.settings import Settings

NODE_LOCAL, NMSTATE = "node-local", "nmstate"

_SECOND = "second-bridge"
_RESOURCE = "bridge.network.kubevirt.io/"


class NetworkBackends:
    """The backends of one run; each is made when it is first asked for."""

    def __init__(
        self,
        book: LeaseBook,
        settings: Settings,
        heartbeat: Heartbeat = silent,
        nodes: Callable[[], NodeFacts | None] = lambda: None,
    ) -> None:
        self._book = book
        self._nodes = nodes
        self._settings = settings
        self._made: dict[Place, NetworkBackend] = {}
        self._node_networks = NodeNetworks(book, settings, heartbeat)

    def get(self, place: Place) -> NetworkBackend:
        """The carrier of a place. LabError where it cannot be made."""
        if place not in self._made:
            self._made[place] = self._localnet() if place is Place.localnet else self._bridge(place)
        return self._made[place]

    def remove(self) -> list[str]:
        """Take away what was made on the nodes; a line for each that stays."""
        self._made.clear()
        return self._node_networks.remove()

    def _bridge(self, place: Place) -> NetworkBackend:
        settings, number = self._settings, 1 if place is Place.bridge else 2
        if settings.node_network == "existing":
            bridge = settings.bridge if place is Place.bridge else settings.other_bridge
            return NetworkBackend(Technique.linux_bridge, bridge, bridge, self._resource(bridge))
        bridge = f"nad-{self._book.run_id}-{number}"
        if settings.node_network == NMSTATE:
            self._make_bridge(place, bridge)
        return NetworkBackend(Technique.linux_bridge, bridge, bridge)

    def _make_bridge(self, place: Place, bridge: str) -> None:
        """One spare NIC is enough for the tests at large: the lack of a second one is a missing capability."""
        try:
            self._node_networks.make_bridge(bridge)
        except NoSpareNic as none:
            if place is Place.bridge or _SECOND in self._settings.expected_capabilities:
                raise
            said = str(none).removeprefix(LAB_ERROR_PREFIX)
            raise CapabilityMissing(f"capability {_SECOND} is not there: {said}") from none

    def _localnet(self) -> NetworkBackend:
        settings = self._settings
        if settings.localnet != NMSTATE:
            return NetworkBackend(Technique.localnet, settings.physical_network, settings.physical_network)
        name = f"{settings.physical_network[:50]}-{self._book.run_id}"
        self._node_networks.make_mapping(name, settings.localnet_bridge)
        return NetworkBackend(Technique.localnet, name, settings.localnet_bridge)

    def _resource(self, bridge: str) -> str:
        """What bridge-marker calls a bridge, "" where the nodes show no such resource.

        KubeVirt makes launcher pods ask for it, so that they go to nodes that have the bridge and to no other.
        """
        nodes = self._nodes()
        marked = sum(bridge in bridges for bridges in nodes.bridges.values()) if nodes else 0
        return f"{_RESOURCE}{bridge}" if marked > 1 else ""
