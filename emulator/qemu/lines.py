# SPDX-License-Identifier: Apache-2.0
"""What carries the frames between a NIC's port and QEMU: a tap device, or a relay where the user may have none."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import socket
import struct

_TUN = "/dev/net/tun"
_SET_INTERFACE, _TAP, _NO_HEADER = 0x400454CA, 0x0002, 0x1000
_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23
_SIOCETHTOOL, _NAME_SIZE = 0x8946, 16
_SET_SEGMENTATION, _SET_CHECKSUMS, _SET_TCP_SEGMENTATION = 0x24, 0x17, 0x1F
_ROOM = 4 << 20
_LARGEST_FRAME = 65536
_AT_ONCE = 64


def open_tap(name: str) -> int:
    """A new tap device of the calling thread's network namespace; it goes with the last descriptor of it."""
    descriptor = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _SET_INTERFACE, struct.pack("16sH22x", name.encode(), _TAP | _NO_HEADER))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def packets_of(device: str) -> socket.socket:
    """A socket for all frames of a device of the calling thread's namespace, but for those that go out by it."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        packets.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        packets.bind((device, _ETH_P_ALL))
    except BaseException:
        packets.close()
        raise
    return packets


def send_whole_frames(device: str) -> None:
    """A device's frames leave it with their checksums, and none larger than its MTU: a machine takes no others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for setting in (_SET_TCP_SEGMENTATION, _SET_SEGMENTATION, _SET_CHECKSUMS):
            value = ctypes.create_string_buffer(struct.pack("=II", setting, 0), 8)
            request = struct.pack("@16sP", device.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, _SIOCETHTOOL, request)


class Line:
    """``descriptor`` is what QEMU gets."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def close(self) -> None:
        os.close(self.descriptor)


class LooseLine(Line):
    """Leads nowhere: what is sent stays unread."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(self._far.fileno())

    def close(self) -> None:
        for one in (self._near, self._far):
            one.close()


class RelayedLine(Line):
    """Passes frames on in the event loop. What cannot be passed on at once is lost, as on any line."""

    def __init__(self, packets: socket.socket) -> None:
        self._packets = packets
        self._near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(self._far.fileno())
        loop = asyncio.get_running_loop()
        for source, target in ((packets, self._near), (self._near, packets)):
            source.setblocking(False)
            loop.add_reader(source.fileno(), self._pass_on, source, target)

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                frame = source.recv(_LARGEST_FRAME)
                with contextlib.suppress(OSError):
                    target.send(frame)

    def close(self) -> None:
        for one in (self._packets, self._near):
            asyncio.get_running_loop().remove_reader(one.fileno())
            one.close()
        self._far.close()
