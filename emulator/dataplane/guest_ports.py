# SPDX-License-Identifier: Apache-2.0
"""The host side of a guest's NICs: for each a bridge without learning, whose uplink a migration swaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from emulator.dataplane import address_announcement
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import GuestNic
from emulator.dataplane.netns import Builder, Namespace
from emulator.dataplane.pods import Pod, Pods
from emulator.dataplane.topology import Topology


@dataclass
class Port:
    """The devices of a NIC.

    ``repeater`` is a bridge without learning, ``socket`` leads to the guest ("" if there is none), ``uplink`` to the
    pod.
    """

    nic: GuestNic
    repeater: str
    socket: str = ""
    uplink: str = ""


class GuestPorts:
    """Outlives the guest's reboots. All methods must run in the builder's thread."""

    def __init__(self, builder: Builder, topology: Topology, pods: Pods, guest_uid: str) -> None:
        self._builder = builder
        self._topology = topology
        self._pods = pods
        self._namespace: Namespace = builder.new_namespace(f"guest ports {guest_uid}")
        self.ports: dict[str, Port] = {}
        self._unused_uplinks: list[str] = []

    def add(self, nic: GuestNic, pod: Pod) -> None:
        """Adds a NIC that is connected to its pod, but not yet to a guest."""
        if nic.name in self.ports:
            raise DataPlaneError(f"the guest has a NIC {nic.name!r} already")
        port = Port(nic, self._topology.new_name("nic"))
        self._namespace.links.add_bridge(port.repeater, learning=False)
        self.ports[nic.name] = port
        try:
            self._namespace.links.change(port.repeater, up=True)
            port.uplink = self._add_uplink(port, nic, pod)
            self._namespace.links.change(port.uplink, up=True)
        except BaseException:
            # Removed completely, because the next attempt would otherwise find the NIC.
            self.remove(nic.name)
            raise

    def _add_uplink(self, port: Port, nic: GuestNic, pod: Pod) -> str:
        """Adds a second uplink that carries nothing until it is brought up."""
        uplink = self._topology.new_name("up")
        self._pods.connect(pod, nic.pod_interface, nic.binding, self._namespace, uplink)
        self._namespace.links.change(uplink, master=port.repeater)
        return uplink

    def remove(self, name: str) -> None:
        port = self.port(name)
        del self.ports[name]
        for device in (port.socket, port.uplink, port.repeater):
            if device:
                self._namespace.links.delete_if_there(device)

    def port(self, name: str) -> Port:
        if name not in self.ports:
            raise DataPlaneError(f"the guest has no NIC {name!r}; it has {', '.join(self.ports) or 'none'}")
        return self.ports[name]

    def plug_into(self, guest: Namespace, name: str) -> str:
        """Connects the guest to the NIC, by its MAC and the first free name of eth0, eth1, ...; returns the name."""
        port = self.port(name)
        taken = {link.name for link in guest.links.all()}
        device = next(name for number in range(1000) if (name := f"eth{number}") not in taken)
        port.socket = self._topology.new_name("vnet")
        mac = port.nic.mac
        self._namespace.links.add_veth(port.socket, device, peer_namespace=guest.descriptor, peer_mac=mac)
        self._namespace.links.change(port.socket, master=port.repeater, up=port.nic.link_up)
        return device

    def unplug_all(self) -> None:
        """Stops the NICs of a guest that is gone; the kernel removes them with the guest's namespace."""
        for port in self.ports.values():
            if port.socket:
                self._namespace.links.silence_port(port.socket)
                port.socket = ""

    def set_link(self, name: str, up: bool) -> None:
        port = self.port(name)
        port.nic = replace(port.nic, link_up=up)
        if port.socket:
            self._namespace.links.change(port.socket, up=up)

    @property
    def namespace(self) -> Namespace:
        """Where the devices of the NICs are."""
        return self._namespace

    def freeze(self, frozen: bool) -> None:
        """Keeps a paused machine's kernel from answering."""
        for port in self.ports.values():
            self._namespace.links.change(port.repeater, up=not frozen)

    def move(self, target: Pod, interfaces: dict[str, str], switched: Callable[[], None]) -> None:
        """Swaps the uplinks: those of ``interfaces`` (NIC name -> interface of the target pod), and only those.

        ``switched`` is called at the moment at which all of them carry traffic.
        """
        moves = []
        try:
            for name, interface in interfaces.items():
                port = self.port(name)
                nic = replace(port.nic, pod_interface=interface)
                moves.append((port, nic, self._add_uplink(port, nic, target)))
        except BaseException:
            for _, _, uplink in moves:
                self._namespace.links.delete_if_there(uplink)
            raise
        links = self._namespace.links
        for port, _, uplink in moves:
            # The old uplink stops before the new one starts: at no moment may both networks be connected.
            if port.uplink:
                links.silence_port(port.uplink)
            links.change(uplink, up=True)
        self._builder.inside(self._namespace.descriptor, lambda: self._announce([(u, n.mac) for _, n, u in moves]))
        switched()
        for port, nic, uplink in moves:
            self._unused_uplinks.append(port.uplink)
            port.uplink, port.nic = uplink, nic

    @staticmethod
    def _announce(uplinks: list[tuple[str, str]]) -> None:
        for uplink, mac in uplinks:
            address_announcement.send(uplink, [address_announcement.reverse_arp(mac)])

    def cut(self, name: str) -> None:
        """Removes the uplink of a NIC that the target pod does not have."""
        port = self.port(name)
        if port.uplink:
            self._namespace.links.silence_port(port.uplink)
            self._unused_uplinks.append(port.uplink)
            port.uplink = ""

    def tidy(self) -> None:
        """Removes unused uplinks. Separate from the move, because it takes some time."""
        while self._unused_uplinks:
            self._namespace.links.delete_if_there(self._unused_uplinks.pop())

    def close(self) -> None:
        for port in self.ports.values():
            if port.uplink:
                self._namespace.links.silence_port(port.uplink)
        self.ports.clear()
        self._namespace.close()
