# SPDX-License-Identifier: Apache-2.0
"""Paths: pairs of NICs of two guests that share a subnet, as the test defined them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from livenad.errors import TestError
from livenad.model import Address, Nic, VmRecord

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Path:
    """A pair of NICs with an address each in one subnet: ``source`` reaches ``target`` without a router."""

    source: VmRecord
    source_nic: Nic
    source_address: Address
    target: VmRecord
    target_nic: Nic
    target_address: Address

    @property
    def subnet(self) -> Network:
        return self.source_address.network

    def reverse(self) -> Path:
        """The way back."""
        return Path(
            self.target, self.target_nic, self.target_address, self.source, self.source_nic, self.source_address
        )


def shared_paths(source: VmRecord, target: VmRecord) -> Iterator[Path]:
    """Every pair of addresses in one subnet, in the order of the NICs."""
    for source_nic in source.nics:
        for source_address in source_nic.addresses:
            for target_nic in target.nics:
                for target_address in target_nic.addresses:
                    if source_address.network == target_address.network:
                        yield Path(source, source_nic, source_address, target, target_nic, target_address)


def path_between(vm: VmRecord, nic: Nic, peer: VmRecord, version: int = 4) -> Path:
    """From a NIC of a VM to a peer in the same subnet, by IP version 4 or 6. TestError when they share none."""
    for path in shared_paths(vm, peer):
        if path.source_nic == nic and path.source_address.version == version:
            return path
    raise TestError(
        f'NIC "{nic.name}" of VM {vm.name} ({_list(nic)}) shares no IPv{version} subnet with {peer.name}; '
        "give both an address in one subnet with `Add NIC`"
    )


def witness_path(witness: VmRecord, watched: VmRecord, watched_nic: Nic, tested: Nic, version: int = 4) -> Path:
    """From a witness to the watched NIC, in a subnet without the tested NIC, by IP version 4 or 6.

    TestError when there is none, as silence of the watched NIC would then prove nothing.
    """
    tested_subnets = {address.network for address in tested.addresses}
    # A NIC with the same NAD as the watched NIC comes first, as other subnets may be part of the test.
    paths = sorted(shared_paths(witness, watched), key=lambda path: path.source_nic.network != watched_nic.network)
    for path in paths:
        if path.target_nic == watched_nic and path.subnet not in tested_subnets and path.subnet.version == version:
            return path
    raise TestError(
        f'{witness.name} cannot watch NIC "{watched_nic.name}" of {watched.name} ({_list(watched_nic)}): they share no '
        f"IPv{version} subnet besides the tested one; give {witness.name} a NIC on the network of "
        f'"{watched_nic.name}" and both an address in a subnet of their own'
    )


def _list(nic: Nic) -> str:
    return ", ".join(map(str, nic.addresses)) or "no address"
