# SPDX-License-Identifier: Apache-2.0
"""Sockets that see the frames for one NIC and no others: by a filter in the kernel, so that crowds cost nothing."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
from collections.abc import Iterable, Sequence

from emulator.dataplane.links import mac_bytes

_ETH_P_ALL = 0x0003
_SO_ATTACH_FILTER = 26
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_MR_PROMISC = 263, 1, 1
_LOAD, _JUMP_IF_EQUAL, _RETURN = {4: 0x20, 2: 0x28}, 0x15, 0x06
_ARP, _ARP_TARGET = 0x0806, 38
_WHOLE = 0xFFFF

Condition = tuple[int, int, int]
"""Offset in the frame, bytes (2 or 4), and their value as a number."""


def frames_for(mac: str, addresses: Iterable[str]) -> list[list[Condition]]:
    """What a machine with this NIC would answer: its unicast frames, and questions for its addresses."""
    found = [_is_to(mac_bytes(mac))]
    for address in addresses:
        ip = ipaddress.ip_interface(address).ip
        if ip.version == 4:
            found.append([(12, 2, _ARP), (_ARP_TARGET, 4, int(ip))])
        else:
            found.append(_is_to(b"\x33\x33\xff" + ip.packed[-3:]))
    return found


def _is_to(mac: bytes) -> list[Condition]:
    return [(0, 4, int.from_bytes(mac[:4], "big")), (4, 2, int.from_bytes(mac[4:], "big"))]


def program(alternatives: Sequence[Sequence[Condition]]) -> bytes:
    """A classic BPF program that accepts a frame if all conditions of one alternative hold."""
    code = b""
    for conditions in alternatives:
        for number, (offset, size, value) in enumerate(conditions):
            left = 2 * (len(conditions) - number - 1) + 1
            code += struct.pack("HBBI", _LOAD[size], 0, 0, offset) + struct.pack("HBBI", _JUMP_IF_EQUAL, 0, left, value)
        code += struct.pack("HBBI", _RETURN, 0, 0, _WHOLE)
    return code + struct.pack("HBBI", _RETURN, 0, 0, 0)


def listening(device: str, code: bytes) -> socket.socket:
    """A socket on a device of the calling thread's network namespace that the program's frames alone reach."""
    line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        kept = ctypes.create_string_buffer(code, len(code))
        line.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(code) // 8, ctypes.addressof(kept)))
        # A bridge passes on to itself what is for another machine only while a socket listens to everything.
        membership = struct.pack("iHH8s", socket.if_nametoindex(device), _PACKET_MR_PROMISC, 0, bytes(8))
        line.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, membership)
        line.bind((device, _ETH_P_ALL))
    except BaseException:
        line.close()
        raise
    return line
