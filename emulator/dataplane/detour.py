# SPDX-License-Identifier: Apache-2.0
"""One kind of frame at a guest's NIC is lost, late, doubled, or sent to the network of another NIC. For defects.

A packet socket sees a frame before the rule of nf_tables that drops it, and sends it on from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.dataplane import packet_loss
from emulator.dataplane.netns import Builder, Namespace
from emulator.dataplane.nftables import LINK_HEADER
from emulator.dataplane.packet_loss import FrameMatch

HOW = ("dropped", "delayed", "duplicated", "astray")
_ARP_OPERATION = 20
_WHOLE = 65536 + 64
_ETH_P_ALL = 0x0003
# The offload state of a frame travels before it; without it a checksum that the kernel has yet to make is lost.
_SOL_PACKET, _PACKET_VNET_HDR, _OFFLOAD_HEADER = 263, 15, 10

KINDS = {
    "ARP request": FrameMatch((*packet_loss.ARP.matches, (LINK_HEADER, _ARP_OPERATION, b"", b"\x00\x01"))),
    "ARP reply": FrameMatch((*packet_loss.ARP.matches, (LINK_HEADER, _ARP_OPERATION, b"", b"\x00\x02"))),
    "ICMP echo request": packet_loss.ECHO_REQUEST,
    "ICMP echo reply": packet_loss.ECHO_REPLY,
    "TCP opening": packet_loss.TCP_CALL,
    "TCP accepting": packet_loss.TCP_ACCEPT,
    "TCP": packet_loss.TCP,
    "UDP": packet_loss.UDP,
    "large IPv4": packet_loss.LARGE,
    "broadcast": FrameMatch(((LINK_HEADER, 0, b"", b"\xff\xff\xff\xff\xff\xff"),)),
    "multicast": FrameMatch(((LINK_HEADER, 0, b"", b"\x01\x00\x5e"),)),
    "IPv6": packet_loss.IPV6,
}


@dataclass
class Detour:
    """What happens to frames of a kind, to the guest or from it, at one NIC; ``first`` is called at the first frame.

    ``astray``: they go to the network of ``nic_astray``, or come from the guest's NIC of that name.
    """

    to_guest: bool
    kind: FrameMatch
    how: str
    seconds: float = 0.0
    nic_astray: str = ""
    first: Callable[[], None] = lambda: None
    _lines: list[socket.socket] = field(default_factory=list)

    async def open(self, builder: Builder, namespace: Namespace, device: str, onward: str) -> None:
        """Takes the frames that come in at ``device``, and sends what is to be sent out of ``onward``."""

        def make() -> list[socket.socket]:
            lines = [_line(device, _ETH_P_ALL), _line(onward, 0)]
            if self.how != "duplicated":
                packet_loss.drop_frames(device, [self.kind])
            return lines

        self._lines = await builder.run(lambda: builder.inside(namespace.descriptor, make))
        asyncio.get_running_loop().add_reader(self._lines[0].fileno(), self._take)

    def close(self) -> None:
        """Stops sending on; what is dropped is dropped until the device is gone."""
        for line in self._lines[:1]:
            asyncio.get_running_loop().remove_reader(line.fileno())
        for line in self._lines:
            line.close()
        self._lines = []

    def _take(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, (_device, _protocol, kind, *_rest) = self._lines[0].recvfrom(_WHOLE)
                if kind == socket.PACKET_OUTGOING or not self.kind.fits(data[_OFFLOAD_HEADER:]):
                    continue
                self.first()
                self.first = lambda: None
                if self.how == "delayed":
                    asyncio.get_running_loop().call_later(self.seconds, self._send, data)
                elif self.how != "dropped":
                    self._send(data)

    def _send(self, data: bytes) -> None:
        # The device may be gone or full: the frame is lost, as on a wire.
        with contextlib.suppress(OSError):
            for line in self._lines[1:]:
                line.send(data)


def _line(device: str, protocol: int) -> socket.socket:
    line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        line.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
        line.bind((device, protocol))
    except BaseException:
        line.close()
        raise
    return line
