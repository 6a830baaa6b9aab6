# SPDX-License-Identifier: Apache-2.0
"""The data plane in Linux namespaces: ``emulator.dataplane.model.DataPlane`` for machines without virtualisation."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence

from emulator.dataplane.detour import Detour
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.forkserver import ForkServer
from emulator.dataplane.guest import Guest
from emulator.dataplane.guest_ports import GuestPorts
from emulator.dataplane.host_link import HostLink
from emulator.dataplane.model import AgentReport, Console, GuestNic, GuestSpec, PodInterface
from emulator.dataplane.netns import Builder
from emulator.dataplane.packet_loss import FrameMatch
from emulator.dataplane.pods import POD_NIC, Pod, Pods
from emulator.dataplane.topology import Topology
from emulator.dataplane.wiring import Segment, Wiring

log = logging.getLogger(__name__)

_DIAL_SECONDS = 10


class LinuxDataPlane:
    """``emulator.dataplane.userns.enter()`` must have been called in this process before.

    DataPlaneError for what does not exist (a pod, a guest, a NIC, a node) and for what the machine cannot do.
    """

    def __init__(
        self, host_link: HostLink | None = None, *, lazy_guests: bool = False, forkserver: ForkServer | None = None
    ) -> None:
        """``host_link``: this machine reaches the pods' addresses by it. ``lazy_guests`` start at the first look.

        ``forkserver``: a started one, which others may use too and which is not stopped here.
        """
        self._host_link = host_link
        self._lazy_guests = lazy_guests
        self._booted = self._slept_on = 0
        self._builder: Builder | None = None
        self._topology: Topology | None = None
        self._plumbing: Pods | None = None
        self._given_forkserver = forkserver
        self._own_forkserver: ForkServer | None = None
        self._pods: dict[str, Pod] = {}
        self._guests: dict[str, Guest] = {}
        self._exited: dict[str, asyncio.Event] = {}

    async def start(self, nodes: list[str]) -> None:
        try:
            self._builder = builder = Builder()
            self._topology = topology = Topology(builder)
            self._plumbing = Pods(builder, topology)
            await asyncio.gather(self._start_forkserver(), builder.run(lambda: topology.build(nodes)))
            if link := self._host_link:
                await builder.run(lambda: topology.connect_host(link))
        except OSError as error:
            await self.stop()
            raise DataPlaneError(f"the nodes' networks could not be built: {error}") from error
        except BaseException:
            await self.stop()
            raise

    async def _start_forkserver(self) -> None:
        if self._given_forkserver is None:
            self._own_forkserver = ForkServer()
            await self._own_forkserver.start()

    async def stop(self) -> None:
        log.info("%s", self.started_text())
        await asyncio.gather(*(self.halt(uid) for uid in list(self._guests)), return_exceptions=True)
        if self._own_forkserver:
            await self._own_forkserver.stop()
        if self._builder and self._topology:
            for uid in list(self._pods):
                await self.remove_pod(uid)
            await self._builder.run(self._topology.close)
            self._builder.close()
        self._builder = self._topology = self._plumbing = self._own_forkserver = None

    def started_text(self) -> str:
        """How many guests there were, and how many of them have been started."""
        return f"{self._booted} guests were defined, {self._booted - self._never_started()} of them were started"

    def _never_started(self) -> int:
        return self._slept_on + sum(guest.is_asleep for guest in self._guests.values())

    async def rewire(self, node: str, wiring: Wiring) -> None:
        builder, _ = self._parts()
        topology = self._topology
        if topology:
            await builder.run(lambda: topology.rewire(topology.node(node), wiring))

    async def add_pod(self, pod_uid: str, node: str) -> PodInterface:
        builder, plumbing = self._parts()
        if pod_uid in self._pods:
            raise DataPlaneError(f"there is a pod {pod_uid} already")
        pod = self._pods[pod_uid] = await builder.make(lambda: plumbing.add(pod_uid, node), plumbing.remove)
        return pod.plugs[POD_NIC].interface

    async def attach(self, pod_uid: str, interface: str, segment: Segment, mac: str | None = None) -> PodInterface:
        builder, plumbing = self._parts()
        pod = self._pod(pod_uid)
        return await builder.run(lambda: plumbing.attach(pod, interface, segment, mac))

    async def join(self, pod_uid: str, interface: str, segment: Segment, losing: Sequence[FrameMatch] = ()) -> None:
        """Connects an attached interface to a further segment; no frame passes between the two segments."""
        builder, plumbing = self._parts()
        pod = self._pod(pod_uid)
        await builder.run(lambda: plumbing.join(pod, interface, segment, losing))

    async def drop_frames(self, pod_uid: str, interface: str, kinds: Sequence[FrameMatch]) -> None:
        builder, plumbing = self._parts()
        pod = self._pod(pod_uid)
        await builder.run(lambda: plumbing.drop_frames(pod, interface, kinds))

    async def divert(self, guest_uid: str, nic: str, detour: Detour) -> None:
        await self._guest(guest_uid).divert(nic, detour)

    async def detach(self, pod_uid: str, interface: str) -> None:
        builder, plumbing = self._parts()
        pod = self._pods.get(pod_uid)
        if pod:
            await builder.run(lambda: plumbing.detach(pod, interface))

    async def remove_pod(self, pod_uid: str) -> None:
        builder, plumbing = self._parts()
        pod = self._pods.pop(pod_uid, None)
        if pod:
            await builder.run(lambda: plumbing.remove(pod))

    async def boot(self, spec: GuestSpec, pod_uid: str) -> None:
        builder, plumbing = self._parts()
        topology, pod = self._topology, self._pod(pod_uid)
        forkserver = self._given_forkserver or self._own_forkserver
        if topology is None or forkserver is None:
            raise DataPlaneError("the data plane is not started")
        if spec.uid in self._guests:
            raise DataPlaneError(f"there is a guest {spec.uid} already")
        guest_ports = await builder.make(lambda: GuestPorts(builder, topology, plumbing, spec.uid), GuestPorts.close)
        guest = self._guests[spec.uid] = Guest(
            spec,
            pod=pod,
            guest_ports=guest_ports,
            builder=builder,
            forkserver=forkserver,
            exited=self._new_exited(spec.uid),
        )
        try:
            await guest.boot(lazily=self._lazy_guests)
            self._booted += 1
        except BaseException:
            await self.halt(spec.uid)
            raise

    def _new_exited(self, guest_uid: str) -> asyncio.Event:
        """The event that callers may already wait for, or a new one if an earlier guest of this uid has ended."""
        if self.exited(guest_uid).is_set():
            self._exited[guest_uid] = asyncio.Event()
        return self._exited[guest_uid]

    async def move(self, guest_uid: str, target_pod_uid: str, interfaces: dict[str, str]) -> None:
        """NICs that are not named lose their connection: no connection to the old pod stays."""
        await self._guest(guest_uid).move(self._pod(target_pod_uid), interfaces)

    async def plug(self, guest_uid: str, nic: GuestNic) -> None:
        await self._guest(guest_uid).plug(nic)

    async def unplug(self, guest_uid: str, nic_name: str) -> None:
        await self._guest(guest_uid).unplug(nic_name)

    async def set_link(self, guest_uid: str, nic_name: str, up: bool) -> None:
        await self._guest(guest_uid).set_link(nic_name, up)

    async def halt(self, guest_uid: str, grace: float = 0) -> None:
        guest = self._guests.get(guest_uid)
        if guest:
            self._slept_on += guest.is_asleep
            await guest.halt(grace)
            if self._guests.get(guest_uid) is guest:
                del self._guests[guest_uid]

    async def reboot(self, guest_uid: str) -> None:
        await self._guest(guest_uid).reboot()

    async def freeze(self, guest_uid: str, frozen: bool) -> None:
        await self._guest(guest_uid).freeze(frozen)

    async def kill_inside(self, guest_uid: str) -> None:
        """Does not set ``exited``: the machine is still on, although no process runs. ``reboot`` starts it again."""
        await self._guest(guest_uid).crash()

    async def run_inside(self, guest_uid: str, argv: list[str]) -> tuple[int, bytes]:
        return await self._guest(guest_uid).run_inside(argv)

    async def console(self, guest_uid: str) -> Console:
        guest = self._guest(guest_uid)
        await guest.wake()
        return guest.console()

    async def dial(self, pod_uid: str, port: int, protocol: str = "tcp") -> socket.socket:
        builder, _ = self._parts()
        pod = self._pod(pod_uid)
        for guest in [guest for guest in self._guests.values() if guest.pod is pod]:
            await guest.wake()
        kind = socket.SOCK_DGRAM if protocol.lower() == "udp" else socket.SOCK_STREAM
        node = pod.node.namespace.descriptor
        connection = await builder.run(
            lambda: builder.inside(node, lambda: socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK))
        )
        try:
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.sock_connect(connection, (pod.address, port)), _DIAL_SECONDS)
        except BaseException:
            connection.close()
            raise
        if kind == socket.SOCK_STREAM:
            # TCP_NODELAY as in Go: small messages must not wait for the acknowledgement of earlier ones.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pod.connections.add(connection)
        return connection

    async def agent_report(self, guest_uid: str) -> AgentReport | None:
        guest = self._guests.get(guest_uid)
        return await guest.report() if guest else None

    def exited(self, guest_uid: str) -> asyncio.Event:
        return self._exited.setdefault(guest_uid, asyncio.Event())

    def _parts(self) -> tuple[Builder, Pods]:
        if self._builder is None or self._plumbing is None:
            raise DataPlaneError("the data plane is not started")
        return self._builder, self._plumbing

    def _pod(self, uid: str) -> Pod:
        if uid not in self._pods:
            raise DataPlaneError(f"there is no pod {uid}")
        return self._pods[uid]

    def _guest(self, uid: str) -> Guest:
        if uid not in self._guests:
            raise DataPlaneError(f"there is no guest {uid}")
        return self._guests[uid]
