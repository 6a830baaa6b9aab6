# SPDX-License-Identifier: Apache-2.0
"""What one machine stands on in one pod: the ports of its NICs, and the sockets that carry their frames."""

from __future__ import annotations

import socket

from emulator.dataplane.detour import Detour
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.guest_ports import GuestPorts
from emulator.dataplane.model import GuestNic
from emulator.dataplane.netns import Builder, Namespace
from emulator.dataplane.pods import Pod, Pods
from emulator.dataplane.topology import Topology

from .dhcp import DhcpServer
from .lines import Line, LooseLine, RelayedLine, open_tap, packets_of, send_whole_frames
from .machine import MachineNic


class Berth:
    """Made in one pod, for one machine; a guest that migrates gets another one. Its methods run in the event loop.

    A NIC is a tap device among the ports where the user may have one; else its frames are relayed between a packet
    socket and QEMU.
    """

    def __init__(self, builder: Builder, topology: Topology, pods: Pods, pod: Pod, uid: str) -> None:
        self._builder = builder
        self._topology = topology
        self._pods = pods
        self._pod = pod
        self._uid = uid
        self._namespaces: tuple[GuestPorts, Namespace] | None = None
        self._lines: dict[str, Line] = {}
        self._detours: list[Detour] = []
        self._servers: dict[str, DhcpServer] = {}

    async def open(self) -> None:
        def make() -> None:
            ports = GuestPorts(self._builder, self._topology, self._pods, self._uid)
            self._namespaces = ports, self._builder.new_namespace(f"wires of {self._uid}")

        await self._builder.run(make)

    @property
    def _parts(self) -> tuple[GuestPorts, Namespace]:
        if self._namespaces is None:
            raise DataPlaneError("the guest has ended")
        return self._namespaces

    async def add(self, nic: GuestNic, slot: int = 0) -> MachineNic:
        """Connects a NIC to its pod; the machine's side of it."""
        await self._builder.run(lambda: self._parts[0].add(nic, self._pod))
        try:
            line = await self._builder.run(lambda: self._tap(nic.name))
            self._lines[nic.name], kind = Line(line), "tap"
        except OSError:
            far = await self._builder.run(lambda: self._packets(nic.name))
            self._lines[nic.name], kind = RelayedLine(far), "dgram"
        ports, _ = self._parts
        if lease := Pods.lease(self._pod, nic.pod_interface, nic.binding):
            server = self._servers[nic.name] = DhcpServer(nic.mac, lease)
            await server.open(self._builder, ports.namespace, ports.port(nic.name).repeater)
        return MachineNic(nic.name, nic.mac.lower(), line=self._lines[nic.name].descriptor, kind=kind, slot=slot)

    def add_loose(self, nic: GuestNic, slot: int) -> MachineNic:
        """A NIC that leads nowhere."""
        line = self._lines[nic.name] = LooseLine()
        return MachineNic(nic.name, nic.mac.lower(), line=line.descriptor, kind="dgram", slot=slot)

    def _tap(self, name: str) -> int:
        """In the builder's thread. OSError where this user may have no such device."""
        ports, _ = self._parts
        device = self._topology.new_name("vnet")
        descriptor = self._builder.inside(ports.namespace.descriptor, lambda: open_tap(device))
        ports.use(name, device)
        return descriptor

    def _packets(self, name: str) -> socket.socket:
        """In the builder's thread."""
        ports, wires = self._parts
        device = ports.plug_into(wires, name)
        wires.links.change(device, up=True)
        near = ports.port(name).socket
        self._builder.inside(ports.namespace.descriptor, lambda: send_whole_frames(near))
        return self._builder.inside(wires.descriptor, lambda: packets_of(device))

    async def remove(self, name: str) -> None:
        self._close_line(name)
        ports, _ = self._parts
        await self._builder.run(lambda: ports.remove(name))

    def _close_line(self, name: str) -> None:
        if server := self._servers.pop(name, None):
            server.close()
        if line := self._lines.pop(name, None):
            line.close()

    async def set_link(self, name: str, up: bool) -> None:
        ports, _ = self._parts
        await self._builder.run(lambda: ports.set_link(name, up))

    async def divert(self, name: str, detour: Detour) -> None:
        ports, _ = self._parts
        port = ports.port(name)
        end = ports.port(detour.nic_astray) if detour.how == "astray" else port
        device, onward = (port.uplink, end.socket) if detour.to_guest else (port.socket, end.uplink)
        await detour.open(self._builder, ports.namespace, device, onward)
        self._detours.append(detour)

    async def close(self) -> None:
        """Nothing of it carries a frame any more."""
        while self._detours:
            self._detours.pop().close()
        for name in list(self._lines):
            self._close_line(name)

        def end() -> None:
            if self._namespaces:
                for one in self._namespaces:
                    one.close()
                self._namespaces = None

        await self._builder.run(end)
