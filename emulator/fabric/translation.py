"""One-to-one translation between a pod's address and its guest's, without state, by nftables.

Stateless on purpose: nothing is remembered that a migration would lose, and no connection tracking is needed.
"""

from __future__ import annotations

import ipaddress
import socket
import struct

from emulator.fabric.netlink import NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, Netlink, attribute, nested

_NETLINK_NETFILTER = 12
_BATCH_BEGIN, _BATCH_END = 16, 17
_SUBSYSTEM = 10
_NEWTABLE, _NEWCHAIN, _NEWRULE = 0, 3, 6
_PREROUTING, _POSTROUTING = 0, 4
_MANGLE_FIRST, _MANGLE_LAST = -300, 300
_IPV4_SOURCE, _IPV4_DESTINATION, _IPV4_CHECKSUM = 12, 16, 10
_REGISTER = 1
_TABLE = "guest"


def _big(value: int) -> bytes:
    return struct.pack("!I", value & 0xFFFFFFFF)


def _message(kind: int, *attributes: bytes) -> tuple[int, bytes, int]:
    header = struct.pack("!BBH", socket.AF_INET, 0, 0)
    flags = NLM_F_CREATE | NLM_F_ACK | (NLM_F_APPEND if kind == _NEWRULE else 0)
    return (_SUBSYSTEM << 8) | kind, header + b"".join(attributes), flags


def _chain(name: str, hook: int, priority: int) -> tuple[int, bytes, int]:
    place = nested(4, attribute(1, _big(hook)), attribute(2, _big(priority)))
    return _message(_NEWCHAIN, attribute(1, _TABLE), attribute(3, name), place, attribute(7, "filter"))


def _expression(name: str, *attributes: bytes) -> bytes:
    return nested(1, attribute(1, name), nested(2, *attributes))


def _replace(chain: str, offset: int, old: bytes, new: bytes) -> tuple[int, bytes, int]:
    """A rule: where the address at ``offset`` of the IPv4 header is ``old``, write ``new`` and mend the checksums."""
    place = (attribute(2, _big(1)), attribute(3, _big(offset)), attribute(4, _big(4)))
    register = _big(_REGISTER)
    expressions = (
        _expression("payload", attribute(1, register), *place),
        _expression("cmp", attribute(1, register), attribute(2, _big(0)), nested(3, attribute(1, old))),
        _expression("immediate", attribute(1, register), nested(2, attribute(1, new))),
        _expression(
            "payload",
            attribute(5, register),
            *place,
            attribute(6, _big(1)),
            attribute(7, _big(_IPV4_CHECKSUM)),
            attribute(8, _big(1)),
        ),
    )
    return _message(_NEWRULE, attribute(1, _TABLE), attribute(2, chain), nested(4, *expressions))


def translate(pod_address: str, guest_address: str) -> None:
    """Makes the namespace of the calling thread translate. OSError where the kernel has no nf_tables."""
    pod, guest = ipaddress.ip_address(pod_address).packed, ipaddress.ip_address(guest_address).packed
    bounds = struct.pack("!BBH", 0, 0, _SUBSYSTEM)
    netlink = Netlink(_NETLINK_NETFILTER)
    try:
        netlink.transaction(
            [
                (_BATCH_BEGIN, bounds, 0),
                _message(_NEWTABLE, attribute(1, _TABLE)),
                _chain("in", _PREROUTING, _MANGLE_FIRST),
                _chain("out", _POSTROUTING, _MANGLE_LAST),
                _replace("in", _IPV4_DESTINATION, pod, guest),
                _replace("out", _IPV4_SOURCE, guest, pod),
                (_BATCH_END, bounds, 0),
            ]
        )
    finally:
        netlink.close()
