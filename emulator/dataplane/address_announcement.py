# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames that announce a guest's location to switches and neighbours: RARP, gratuitous ARP, unsolicited NA."""

from __future__ import annotations

import ipaddress
import socket
import struct

from emulator.dataplane.links import mac_bytes

_BROADCAST = b"\xff" * 6
_ARP, _RARP, _IPV6 = 0x0806, 0x8035, 0x86DD
_ALL_NODES = ipaddress.IPv6Address("ff02::1").packed
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ICMPV6 = 58
_ADVERTISEMENT, _OVERRIDE = 136, 0x20000000
_TARGET_LINK_ADDRESS = 2


def reverse_arp(mac: str) -> bytes:
    """The frame that a hypervisor sends for a guest that has just arrived, from which every switch learns its port."""
    own = mac_bytes(mac)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 3) + own + bytes(4) + own + bytes(4)
    return _BROADCAST + own + struct.pack("!H", _RARP) + body


def announcement(mac: str, address: str) -> bytes:
    """Gratuitous ARP, or an unsolicited neighbour advertisement for an IPv6 address (without prefix)."""
    ip = ipaddress.ip_address(address)
    return _gratuitous_arp(mac, ip.packed) if ip.version == 4 else _advertisement(mac, ip.packed)


def _gratuitous_arp(mac: str, ip: bytes) -> bytes:
    own = mac_bytes(mac)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + own + ip + bytes(6) + ip
    return _BROADCAST + own + struct.pack("!H", _ARP) + body


def _advertisement(mac: str, ip: bytes) -> bytes:
    own = mac_bytes(mac)
    message = struct.pack("!BBHI", _ADVERTISEMENT, 0, 0, _OVERRIDE) + ip
    message += struct.pack("!BB", _TARGET_LINK_ADDRESS, 1) + own
    pseudo = ip + _ALL_NODES + struct.pack("!II", len(message), _ICMPV6)
    message = message[:2] + struct.pack("!H", _checksum(pseudo + message)) + message[4:]
    header = struct.pack("!IHBB", 6 << 28, len(message), _ICMPV6, 255) + ip + _ALL_NODES
    return _ALL_NODES_MAC + own + struct.pack("!H", _IPV6) + header + message


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send(device: str, frames: list[bytes]) -> None:
    """Sends frames from a device of the calling thread's network namespace."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as line:
        line.bind((device, 0))
        for frame in frames:
            line.send(frame)
