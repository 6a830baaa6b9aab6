# SPDX-License-Identifier: Apache-2.0
"""Messages to nf_tables: tables, chains, rules and their expressions, sent as one transaction."""

from __future__ import annotations

import socket
import struct

from emulator.dataplane.netlink import NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, Netlink, attribute, nested

IPV4 = socket.AF_INET
NETDEV = 5
LINK_HEADER, NETWORK_HEADER = 0, 1
EQUAL, LESS = 0, 2

_NETLINK_NETFILTER = 12
_BATCH_BEGIN, _BATCH_END = 16, 17
_SUBSYSTEM = 10
_NEWTABLE, _NEWCHAIN, _NEWRULE = 0, 3, 6
_REGISTER = 1
_RANDOM = 1
_DROP = 0

Message = tuple[int, bytes, int]


def big(value: int) -> bytes:
    return struct.pack("!I", value & 0xFFFFFFFF)


def _message(family: int, kind: int, *attributes: bytes) -> Message:
    header = struct.pack("!BBH", family, 0, 0)
    flags = NLM_F_CREATE | NLM_F_ACK | (NLM_F_APPEND if kind == _NEWRULE else 0)
    return (_SUBSYSTEM << 8) | kind, header + b"".join(attributes), flags


def table(family: int, name: str) -> Message:
    return _message(family, _NEWTABLE, attribute(1, name))


def chain(family: int, owner: str, name: str, *, hook: int, priority: int = 0, device: str = "") -> Message:
    """A filter chain of a table at a hook; ``device`` for those that watch one device."""
    place = [attribute(1, big(hook)), attribute(2, big(priority))]
    if device:
        place.append(attribute(3, device))
    return _message(
        family, _NEWCHAIN, attribute(1, owner), attribute(3, name), nested(4, *place), attribute(7, "filter")
    )


def rule(family: int, owner: str, where: str, *expressions: bytes) -> Message:
    return _message(family, _NEWRULE, attribute(1, owner), attribute(2, where), nested(4, *expressions))


def expression(name: str, *attributes: bytes) -> bytes:
    return nested(1, attribute(1, name), nested(2, *attributes))


def load(base: int, offset: int, length: int) -> bytes:
    """Loads bytes of the packet's header ``base`` for the next expression."""
    place = (attribute(2, big(base)), attribute(3, big(offset)), attribute(4, big(length)))
    return expression("payload", attribute(1, big(_REGISTER)), *place)


def mask(bits: bytes) -> bytes:
    """Keeps only these bits of the loaded bytes."""
    nothing = bytes(len(bits))
    register = big(_REGISTER)
    return expression(
        "bitwise",
        *(attribute(1, register), attribute(2, register), attribute(3, big(len(bits)))),
        *(nested(4, attribute(1, bits)), nested(5, attribute(1, nothing))),
    )


def compare(value: bytes, operator: int = EQUAL) -> bytes:
    """Ends the rule unless the loaded bytes compare as given."""
    return expression("cmp", attribute(1, big(_REGISTER)), attribute(2, big(operator)), nested(3, attribute(1, value)))


def roll(below: int) -> bytes:
    """A random number from 0 to ``below`` - 1, in the machine's byte order."""
    words = (attribute(1, big(_REGISTER)), attribute(2, big(below)), attribute(3, big(_RANDOM)), attribute(4, big(0)))
    return expression("numgen", *words)


def set_register(value: bytes) -> bytes:
    return expression("immediate", attribute(1, big(_REGISTER)), nested(2, attribute(1, value)))


def write(base: int, offset: int, length: int, *more: bytes) -> bytes:
    """Writes the register into the packet."""
    place = (attribute(2, big(base)), attribute(3, big(offset)), attribute(4, big(length)))
    return expression("payload", attribute(5, big(_REGISTER)), *place, *more)


def drop() -> bytes:
    return expression("immediate", attribute(1, big(0)), nested(2, nested(2, attribute(1, big(_DROP)))))


def commit(messages: list[Message]) -> None:
    """Sends all messages as one transaction in the namespace of the calling thread. OSError if the kernel has no
    nf_tables.
    """
    bounds = struct.pack("!BBH", 0, 0, _SUBSYSTEM)
    netlink = Netlink(_NETLINK_NETFILTER)
    try:
        netlink.transaction([(_BATCH_BEGIN, bounds, 0), *messages, (_BATCH_END, bounds, 0)])
    finally:
        netlink.close()
