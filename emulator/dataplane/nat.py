# SPDX-License-Identifier: Apache-2.0
"""Stateless one-to-one NAT between a pod's address and its guest's, by nftables.

Without state a migration loses nothing, and no connection tracking is needed.
"""

from __future__ import annotations

import ipaddress

from emulator.dataplane import nftables
from emulator.dataplane.netlink import attribute
from emulator.dataplane.nftables import IPV4, NETWORK_HEADER, big

_PREROUTING, _POSTROUTING = 0, 4
_MANGLE_FIRST, _MANGLE_LAST = -300, 300
_IPV4_SOURCE, _IPV4_DESTINATION, _IPV4_CHECKSUM = 12, 16, 10
_TABLE = "guest"


def _replace(chain: str, offset: int, old: bytes, new: bytes) -> nftables.Message:
    """A rule: if the address at ``offset`` of the IPv4 header is ``old``, write ``new`` and update the checksums."""
    checksums = (attribute(6, big(1)), attribute(7, big(_IPV4_CHECKSUM)), attribute(8, big(1)))
    return nftables.rule(
        IPV4,
        _TABLE,
        chain,
        nftables.load(NETWORK_HEADER, offset, 4),
        nftables.compare(old),
        nftables.set_register(new),
        nftables.write(NETWORK_HEADER, offset, 4, *checksums),
    )


def translate(pod_address: str, guest_address: str) -> None:
    """Installs the translation in the calling thread's network namespace. OSError if there is no nf_tables."""
    pod, guest = ipaddress.ip_address(pod_address).packed, ipaddress.ip_address(guest_address).packed
    nftables.commit(
        [
            nftables.table(IPV4, _TABLE),
            nftables.chain(IPV4, _TABLE, "in", hook=_PREROUTING, priority=_MANGLE_FIRST),
            nftables.chain(IPV4, _TABLE, "out", hook=_POSTROUTING, priority=_MANGLE_LAST),
            _replace("in", _IPV4_DESTINATION, pod, guest),
            _replace("out", _IPV4_SOURCE, guest, pod),
        ]
    )
