"""What stands behind "bridge", "other bridge" and "localnet" in this run, as the variables choose."""

from __future__ import annotations

from testbed.networks.places import Carrier, Place, Technique
from testbed.run import Run


class Carriers:
    """The carriers of one run; each is made when it is first asked for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._made: dict[Place, Carrier] = {}

    def get(self, place: Place) -> Carrier:
        """The carrier of a place. CapabilityMissing where the cluster has none, LabError where it cannot be made."""
        if place not in self._made:
            self._made[place] = self._make(place)
        return self._made[place]

    def _make(self, place: Place) -> Carrier:
        settings = self._run.settings
        if place is Place.localnet:
            return Carrier(Technique.localnet, settings.physical_network, settings.physical_network)
        bridge = settings.bridge if place is Place.bridge else settings.other_bridge
        return Carrier(Technique.linux_bridge, bridge, bridge)
