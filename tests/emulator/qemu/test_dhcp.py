# SPDX-License-Identifier: Apache-2.0
"""The DHCP server of a guest in QEMU: which frames it answers, and with what."""

from __future__ import annotations

import ipaddress
import struct

from emulator.guest.spec import Lease
from emulator.qemu.dhcp import answer_to
from tests.emulator.dataplane.dhcp_client import ACK, DISCOVER, OFFER, RELEASE, REQUEST, question

MAC = bytes.fromhex("0200000000aa")
LEASE = Lease("10.0.2.2/24", "10.0.2.1", ("10.96.0.10",))


def test_offer_and_acknowledgement_have_the_lease() -> None:
    for asked, answered in ((DISCOVER, OFFER), (REQUEST, ACK)):
        frame = answer_to(question(asked, MAC), MAC, LEASE)
        assert frame is not None
        assert frame[:6] == MAC
        header, bootp = frame[14:34], frame[42:]
        assert sum(struct.unpack("!10H", header)) % 0xFFFF == 0, "the header's checksum"
        assert struct.unpack("!H", header[2:4])[0] == len(frame) - 14
        assert (bootp[0], bootp[4:8]) == (2, b"\xde\xad\xbe\xef")
        assert ipaddress.ip_address(bootp[16:20]) == ipaddress.ip_address("10.0.2.2")
        assert bootp[28:34] == MAC
        options = bootp[240:]
        assert options.startswith(bytes([53, 1, answered]))
        for option in (b"\x01\x04\xff\xff\xff\x00", b"\x03\x04\x0a\x00\x02\x01", b"\x06\x04\x0a\x60\x00\x0a"):
            assert option in options


def test_nothing_else_is_answered() -> None:
    assert answer_to(question(RELEASE, MAC), MAC, LEASE) is None
    assert answer_to(question(DISCOVER, bytes.fromhex("0200000000bb")), MAC, LEASE) is None
    whole = question(DISCOVER, MAC)
    for size in range(0, len(whole) - 9, 7):
        assert answer_to(whole[:size], MAC, LEASE) is None
