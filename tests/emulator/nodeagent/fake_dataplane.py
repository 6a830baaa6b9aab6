# SPDX-License-Identifier: Apache-2.0
"""A data plane without namespaces: remembers what it was asked for, and plays guests."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from emulator.dataplane.detour import Detour
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import AgentReport, Console, GuestInterface, GuestNic, GuestSpec, PodInterface
from emulator.dataplane.packet_loss import FrameMatch
from emulator.dataplane.wiring import Segment, Wiring


class FakeConsole:
    """Echoes; ends when another one is attached, or the guest moves."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes:
        return await self._lines.get()

    async def write(self, data: bytes) -> None:
        self._lines.put_nowait(data)

    async def close(self) -> None:
        self.end()

    def end(self) -> None:
        self._lines.put_nowait(b"")


@dataclass
class FakeGuest:
    spec: GuestSpec
    pod: str
    nics: dict[str, GuestNic]
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    agent: bool = True
    frozen: bool = False
    boots: int = 1
    console: FakeConsole | None = None


class FakeDataPlane:
    """Implements ``emulator.dataplane.model.DataPlane``. ``calls`` lists what was asked for, in order."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.wirings: dict[str, Wiring] = {}
        self.pods: dict[str, dict[str, Segment | None]] = {}
        self.guests: dict[str, FakeGuest] = {}
        self.calls: list[tuple[object, ...]] = []
        self.refuse_move = ""
        self.guest_ports: dict[int, socket.socket] = {}
        self._numbers = itertools.count(2)

    async def start(self, nodes: list[str]) -> None:
        self.nodes = nodes

    async def stop(self) -> None:
        self.nodes = []

    async def rewire(self, node: str, wiring: Wiring) -> None:
        self.wirings[node] = wiring

    async def add_pod(self, pod_uid: str, node: str) -> PodInterface:
        assert node in self.nodes
        self.pods[pod_uid] = {"eth0": None}
        number = next(self._numbers)
        return PodInterface("eth0", f"02:00:00:00:00:{number:02x}", (f"10.244.0.{number}",))

    async def attach(self, pod_uid: str, interface: str, segment: Segment, mac: str | None = None) -> PodInterface:
        if interface in self.pods[pod_uid]:
            raise DataPlaneError(f"pod {pod_uid} has an interface {interface!r} already")
        self.pods[pod_uid][interface] = segment
        return PodInterface(interface, mac or f"02:00:00:00:01:{next(self._numbers):02x}")

    async def join(self, pod_uid: str, interface: str, segment: Segment, losing: Sequence[FrameMatch] = ()) -> None:
        self.calls.append(("join", pod_uid, interface, segment))

    async def divert(self, guest_uid: str, nic: str, detour: Detour) -> None:
        self.calls.append(("divert", guest_uid, nic, detour))

    async def drop_frames(self, pod_uid: str, interface: str, kinds: Sequence[FrameMatch]) -> None:
        self.calls.append(("drop_frames", pod_uid, interface, tuple(kinds)))

    async def detach(self, pod_uid: str, interface: str) -> None:
        del self.pods[pod_uid][interface]

    async def remove_pod(self, pod_uid: str) -> None:
        self.pods.pop(pod_uid, None)

    async def boot(self, spec: GuestSpec, pod_uid: str) -> None:
        assert all(nic.pod_interface in self.pods[pod_uid] for nic in spec.nics)
        self.guests[spec.uid] = FakeGuest(spec, pod_uid, {nic.name: nic for nic in spec.nics})

    async def move(self, guest_uid: str, target_pod_uid: str, interfaces: dict[str, str]) -> None:
        if self.refuse_move:
            raise DataPlaneError(self.refuse_move)
        assert all(interface in self.pods[target_pod_uid] for interface in interfaces.values())
        guest = self.guests[guest_uid]
        self.calls.append(("move", guest.pod, target_pod_uid, interfaces))
        guest.pod = target_pod_uid
        if guest.console:
            guest.console.end()

    async def plug(self, guest_uid: str, nic: GuestNic) -> None:
        self.guests[guest_uid].nics[nic.name] = nic

    async def unplug(self, guest_uid: str, nic_name: str) -> None:
        del self.guests[guest_uid].nics[nic_name]

    async def set_link(self, guest_uid: str, nic_name: str, up: bool) -> None:
        self.calls.append(("set_link", nic_name, up))

    async def halt(self, guest_uid: str, grace: float = 0) -> None:
        self.calls.append(("halt", guest_uid, grace))
        guest = self.guests.pop(guest_uid, None)
        if guest:
            guest.exited.set()

    async def reboot(self, guest_uid: str) -> None:
        self.guests[guest_uid].boots += 1

    async def freeze(self, guest_uid: str, frozen: bool) -> None:
        self.guests[guest_uid].frozen = frozen

    async def kill_inside(self, guest_uid: str) -> None:
        self.guests[guest_uid].agent = False
        self.calls.append(("kill_inside", guest_uid))

    async def run_inside(self, guest_uid: str, argv: list[str]) -> tuple[int, bytes]:
        self.calls.append(("run_inside", guest_uid, argv))
        return 0, b""

    async def console(self, guest_uid: str) -> Console:
        guest = self.guests[guest_uid]
        if guest.console:
            guest.console.end()
        guest.console = FakeConsole()
        return guest.console

    async def dial(self, pod_uid: str, port: int, protocol: str = "tcp") -> socket.socket:
        if port != 22:
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.guest_ports[port] = theirs
        return ours

    async def agent_report(self, guest_uid: str) -> AgentReport | None:
        guest = self.guests.get(guest_uid)
        if guest is None or not guest.agent:
            return None
        inside = tuple(
            GuestInterface(f"eth{number}", nic.mac, ("fe80::1/64", f"192.168.{number}.5/24"))
            for number, nic in enumerate(guest.nics.values())
        )
        return AgentReport(guest.spec.hostname, inside, {"id": "debian", "name": "Debian GNU/Linux", "version": "12"})

    def exited(self, guest_uid: str) -> asyncio.Event:
        guest = self.guests.get(guest_uid)
        if guest:
            return guest.exited
        ended = asyncio.Event()
        ended.set()
        return ended
