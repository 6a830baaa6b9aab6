# SPDX-License-Identifier: Apache-2.0
"""Packet loss on the way to a pod: matching frames, or a share of all frames, are dropped. For defects only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.dataplane import nftables
from emulator.dataplane.nftables import LESS, LINK_HEADER, NETDEV, NETWORK_HEADER

_INGRESS = 0
_LINK_BYTES = 14
_ETHERTYPE, _LENGTH, _PROTOCOL, _ICMP_TYPE, _TCP_TARGET_PORT, _TCP_FLAGS = 12, 2, 9, 20, 22, 33
_SYN, _SYN_AND_ACK = b"\x02", b"\x12"


@dataclass(frozen=True)
class FrameMatch:
    """A match of frames: bytes at offsets of the link or network header, each after an optional mask.

    ``percent`` of the matching frames are dropped. IPv4 headers are expected to have no options.
    """

    matches: tuple[tuple[int, int, bytes, bytes], ...] = ()
    percent: int = 100

    def expressions(self) -> list[bytes]:
        found = []
        for base, offset, bits, value in self.matches:
            found += [nftables.load(base, offset, len(value)), *([nftables.mask(bits)] if bits else [])]
            found.append(nftables.compare(value))
        if self.percent < 100:
            found += [nftables.roll(100), nftables.compare(struct.pack("=I", self.percent), LESS)]
        return found

    def fits(self, frame: bytes) -> bool:
        """Whether a frame with an Ethernet header and no VLAN tag matches; ``percent`` does not count."""
        for base, offset, bits, value in self.matches:
            start = offset if base == LINK_HEADER else offset + _LINK_BYTES
            found = frame[start : start + len(value)]
            if bits:
                found = bytes(one & mask for one, mask in zip(found, bits, strict=False))
            if found != value:
                return False
        return True


def _ethernet(kind: bytes) -> tuple[int, int, bytes, bytes]:
    return LINK_HEADER, _ETHERTYPE, b"", kind


def _ip(offset: int, value: bytes, bits: bytes = b"") -> tuple[int, int, bytes, bytes]:
    return NETWORK_HEADER, offset, bits, value


ARP = FrameMatch((_ethernet(b"\x08\x06"),))
IPV4 = FrameMatch((_ethernet(b"\x08\x00"),))
IPV6 = FrameMatch((_ethernet(b"\x86\xdd"),))
ICMP = FrameMatch((*IPV4.matches, _ip(_PROTOCOL, b"\x01")))
TCP = FrameMatch((*IPV4.matches, _ip(_PROTOCOL, b"\x06")))
ECHO_REQUEST = FrameMatch((*ICMP.matches, _ip(_ICMP_TYPE, b"\x08")))
ECHO_REPLY = FrameMatch((*ICMP.matches, _ip(_ICMP_TYPE, b"\x00")))
UDP = FrameMatch((*IPV4.matches, _ip(_PROTOCOL, b"\x11")))
LARGE = FrameMatch((*IPV4.matches, _ip(_LENGTH, b"\x04\x00", b"\x04\x00")))
"""Packets of 1,024 to 2,047 bytes, and each second kilobyte of what is larger."""
UNICAST = FrameMatch(((LINK_HEADER, 0, b"\x01", b"\x00"),))
TCP_CALL = FrameMatch((*TCP.matches, _ip(_TCP_FLAGS, _SYN, _SYN_AND_ACK)))
TCP_ACCEPT = FrameMatch((*TCP.matches, _ip(_TCP_FLAGS, _SYN_AND_ACK, _SYN_AND_ACK)))


def tcp_to(port: int) -> FrameMatch:
    """Matches TCP frames to a port."""
    return FrameMatch((*TCP.matches, _ip(_TCP_TARGET_PORT, struct.pack("!H", port))))


def some(percent: int) -> FrameMatch:
    """Matches this percentage of all frames."""
    return FrameMatch((), percent)


def drop_frames(device: str, kinds: Sequence[FrameMatch]) -> None:
    """Drops matching frames that come in through a device of the calling thread's namespace."""
    owner = f"packet-loss-{device}"
    nftables.commit(
        [
            nftables.table(NETDEV, owner),
            nftables.chain(NETDEV, owner, "in", hook=_INGRESS, device=device),
            *(nftables.rule(NETDEV, owner, "in", *kind.expressions(), nftables.drop()) for kind in kinds),
        ]
    )
