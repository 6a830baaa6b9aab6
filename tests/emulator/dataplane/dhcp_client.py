# SPDX-License-Identifier: Apache-2.0
"""What a DHCP client sends, as whole frames."""

from __future__ import annotations

import struct

DISCOVER, OFFER, REQUEST, ACK, RELEASE = 1, 2, 3, 5, 7


def question(kind: int, mac: bytes) -> bytes:
    bootp = b"\x01\x01\x06\x00" + b"\xde\xad\xbe\xef" + bytes(20) + mac + bytes(10) + bytes(192)
    data = bootp + b"\x63\x82\x53\x63" + bytes([53, 1, kind, 0, 55, 2, 1, 3, 255])
    udp = struct.pack("!HHHH", 68, 67, 8 + len(data), 0) + data
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    return b"\xff" * 6 + mac + b"\x08\x00" + header + udp
