# SPDX-License-Identifier: Apache-2.0
"""The DHCP server that a guest finds on the pod network: it knows one NIC, and answers that one alone."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct

from emulator.dataplane.frame_filter import Condition, listening, program
from emulator.dataplane.links import mac_bytes
from emulator.dataplane.netns import Builder, Namespace
from emulator.guest.spec import Lease

_TO_SERVER: list[Condition] = [(12, 2, 0x0800), (34, 2, 68), (36, 2, 67)]
"""IPv4 without options, from the port of DHCP's clients to that of its servers."""

_ETHERNET, _IP, _UDP = 14, 20, 8
_BOOTP = _ETHERNET + _IP + _UDP
_COOKIE = b"\x63\x82\x53\x63"
_DISCOVER, _OFFER, _REQUEST, _ACK = 1, 2, 3, 5
_FOREVER = 0xFFFFFFFF
_SERVER_MAC = bytes.fromhex("020000000000")


class DhcpServer:
    """Listens on a device among a guest's ports, for as long as it is open."""

    def __init__(self, mac: str, lease: Lease) -> None:
        self._mac = mac_bytes(mac)
        self._lease = lease
        self._line: socket.socket | None = None

    async def open(self, builder: Builder, namespace: Namespace, device: str) -> None:
        self._line = await builder.run(
            lambda: builder.inside(namespace.descriptor, lambda: listening(device, program([_TO_SERVER])))
        )
        asyncio.get_running_loop().add_reader(self._line.fileno(), self._ready)

    def close(self) -> None:
        if self._line:
            asyncio.get_running_loop().remove_reader(self._line.fileno())
            self._line.close()
            self._line = None

    def _ready(self) -> None:
        try:
            if self._line and (answer := answer_to(self._line.recv(2048), self._mac, self._lease)) is not None:
                self._line.send(answer)
        except OSError:
            # The device went away with its guest, or was taken down by a pause.
            return


def answer_to(frame: bytes, mac: bytes, lease: Lease) -> bytes | None:
    """The frame that answers a client's; None where it is not this NIC's, or needs no answer."""
    question = frame[_BOOTP:]
    if len(question) < 241 or question[28:34] != mac or question[236:240] != _COOKIE:
        return None
    kind = {_DISCOVER: _OFFER, _REQUEST: _ACK}.get(_options(question[240:]).get(53, b"\0")[0])
    return None if kind is None else _frame(_reply(question, kind, lease), mac, lease)


def _options(data: bytes) -> dict[int, bytes]:
    found, place = {}, 0
    while place + 1 < len(data) and data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        size = data[place + 1]
        found[data[place]] = data[place + 2 : place + 2 + size]
        place += 2 + size
    return found


def _reply(question: bytes, kind: int, lease: Lease) -> bytes:
    address = ipaddress.ip_interface(lease.address)
    gateway = ipaddress.ip_address(lease.gateway).packed
    options = {53: bytes([kind]), 54: gateway, 51: struct.pack("!I", _FOREVER), 1: address.netmask.packed, 3: gateway}
    if lease.nameservers:
        options[6] = b"".join(ipaddress.ip_address(server).packed for server in lease.nameservers)
    head = b"\x02\x01\x06\x00" + question[4:8] + bytes(4) + bytes(4) + address.ip.packed + gateway + bytes(4)
    packed = b"".join(bytes([code, len(value)]) + value for code, value in options.items())
    return head + question[28:44] + bytes(192) + _COOKIE + packed + b"\xff"


def _frame(reply: bytes, mac: bytes, lease: Lease) -> bytes:
    udp = struct.pack("!HHHH", 67, 68, _UDP + len(reply), 0) + reply
    source = ipaddress.ip_address(lease.gateway).packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, _IP + len(udp), 0, 0, 64, 17, 0) + source + b"\xff" * 4
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    header = header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:]
    return mac + _SERVER_MAC + b"\x08\x00" + header + udp
