# SPDX-License-Identifier: Apache-2.0
"""The interface between the node agent and the data plane. Nothing here knows the Kubernetes API.

The default implementation builds guests from Linux namespaces (``emulator.dataplane.linux``). One with QEMU guests
could implement the same interface.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.dataplane.detour import Detour
from emulator.dataplane.packet_loss import FrameMatch
from emulator.dataplane.wiring import Segment, Wiring


@dataclass(frozen=True)
class PodInterface:
    """A pod's interface as Multus reports it in network-status."""

    name: str
    mac: str
    ips: tuple[str, ...] = ()
    mtu: int = 1500


@dataclass(frozen=True)
class GuestNic:
    """A NIC of a guest and its pod interface."""

    name: str
    mac: str
    pod_interface: str
    binding: str = "bridge"
    link_up: bool = True


@dataclass(frozen=True)
class GuestSpec:
    """A guest to boot: identity, NICs in order, and its cloud-init NoCloud data as text ("" where there is none)."""

    uid: str
    name: str
    hostname: str
    firmware_uuid: str
    nics: tuple[GuestNic, ...]
    user_data: str = ""
    network_data: str = ""


@dataclass(frozen=True)
class GuestInterface:
    """An interface as the guest agent reports it."""

    name: str
    mac: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class AgentReport:
    """The guest agent's report, read inside the guest, never derived from the manifest."""

    hostname: str
    interfaces: tuple[GuestInterface, ...]
    os: dict[str, str] = field(default_factory=dict)
    timezone: str = "UTC, 0"
    users: tuple[dict[str, Any], ...] = ()
    filesystems: tuple[dict[str, Any], ...] = ()


class Console(Protocol):
    """One attachment to a guest's serial line. A guest has one; attaching again ends the older attachment."""

    async def read(self) -> bytes:
        """Some bytes, or b"" when the attachment has ended."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class DataPlane(Protocol):
    """The data plane of all nodes. Every method may be called concurrently for different pods and guests."""

    async def start(self, nodes: list[str]) -> None:
        """Builds the nodes. DataPlaneError, with the remedy, if the machine does not permit it."""
        ...

    async def stop(self) -> None:
        """Removes everything that was built; safe to call twice and after a failed start."""
        ...

    async def rewire(self, node: str, wiring: Wiring) -> None:
        """Changes what a node's bridges are connected to.

        Plugged devices follow at once; ports of a removed bridge stay without one.
        """
        ...

    async def add_pod(self, pod_uid: str, node: str) -> PodInterface:
        """A pod's network namespace with its pod-network interface ``eth0`` (new address for every pod)."""
        ...

    async def attach(self, pod_uid: str, interface: str, segment: Segment, mac: str | None = None) -> PodInterface:
        """Plugs the pod into a segment, as the bridge CNI does."""
        ...

    async def join(self, pod_uid: str, interface: str, segment: Segment, losing: Sequence[FrameMatch] = ()) -> None:
        """Connects an attached interface to a further segment; the segments stay separate. For defects only.

        Frames from that segment that match one of ``losing`` are dropped.
        """
        ...

    async def drop_frames(self, pod_uid: str, interface: str, kinds: Sequence[FrameMatch]) -> None:
        """From now on drops frames to an interface that match one of ``kinds``. For defects only."""
        ...

    async def divert(self, guest_uid: str, nic: str, detour: Detour) -> None:
        """From now on frames of a kind at a guest's NIC go another way. For defects only."""
        ...

    async def detach(self, pod_uid: str, interface: str) -> None: ...

    async def remove_pod(self, pod_uid: str) -> None: ...

    async def boot(self, spec: GuestSpec, pod_uid: str) -> None:
        """Boots a guest in a pod; returns once its first process runs, before login and agent are ready."""
        ...

    async def move(self, guest_uid: str, target_pod_uid: str, interfaces: dict[str, str]) -> None:
        """The switch-over of a live migration: NIC name -> its interface of the target pod.

        The guest keeps running (same boot id, processes, MACs), sees no carrier change, and announces itself on the new
        segments. Its console attachment and forwarded connections through the old pod end.
        """
        ...

    async def plug(self, guest_uid: str, nic: GuestNic) -> None: ...

    async def unplug(self, guest_uid: str, nic_name: str) -> None: ...

    async def set_link(self, guest_uid: str, nic_name: str, up: bool) -> None: ...

    async def halt(self, guest_uid: str, grace: float = 0) -> None:
        """Ends the guest: asks it for ``grace`` seconds, then kills it. Unknown guests are fine."""
        ...

    async def reboot(self, guest_uid: str) -> None:
        """Reboots the guest inside its pod: new boot id, all processes started again."""
        ...

    async def freeze(self, guest_uid: str, frozen: bool) -> None:
        """Pauses or resumes every process of the guest."""
        ...

    async def kill_inside(self, guest_uid: str) -> None:
        """The guest dies while its pod keeps running: no process, no NIC answers (like a kernel panic)."""
        ...

    async def run_inside(self, guest_uid: str, argv: list[str]) -> tuple[int, bytes]:
        """Runs a command in the guest as root; exit status and output. For defects and diagnosis only."""
        ...

    async def console(self, guest_uid: str) -> Console: ...

    async def dial(self, pod_uid: str, port: int, protocol: str = "tcp") -> socket.socket:
        """A connected socket to the guest's port through its pod network, as virt-api dials the pod's address.

        OSError (ConnectionRefusedError, TimeoutError) as for a dial over the network.
        """
        ...

    async def agent_report(self, guest_uid: str) -> AgentReport | None:
        """None while no agent answers."""
        ...

    def exited(self, guest_uid: str) -> asyncio.Event:
        """Set when the guest has ended by itself (power-off) or was killed."""
        ...
