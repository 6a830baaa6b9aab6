# SPDX-License-Identifier: Apache-2.0
"""What all guest keywords share: the guests of the open suite, and whose fault it is when a check does not hold."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from KubeVirtLibrary.base import KeywordComponent
from livenad.errors import LAB_ERROR_PREFIX, LabError, ProductFault
from livenad.guest.guests import Guests
from livenad.reachability.measurements import Measurements

Blame = Literal["product", "lab"]


class Family(enum.Enum):
    """The IP version of the probes."""

    ipv4 = 4
    ipv6 = 6


class GuestComponent(KeywordComponent):
    """Guest keywords of one topic."""

    @property
    def guests(self) -> Guests:
        """The guests of the open suite."""
        guests = self.suite.guests
        guests.tell_warnings()
        return guests

    @property
    def measurements(self) -> Measurements:
        """What was measured between the guests of the open suite."""
        self.guests.tell_warnings()
        return self.suite.measurements

    def _way(self, vm: str, peer: str, nic: str) -> str:
        """Where a NIC and a peer are and what is between them, with the remedy where that carries nothing."""
        guests = self.guests
        network = self.vm(vm).nic(nic).network or ""
        told, here, there = self.run.networks.told(network), guests.node_of(vm), guests.node_of(peer)
        where = f'network "{network}" is {told or "not one of this run"}; {vm} is on node {here}, {peer} on {there}'
        if here == there:
            return f"{where}: look at the guests' addresses and at the bridge of that node"
        return (
            f"{where}: the bridge must exist on both nodes and carry this VLAN between them; have the VLAN allowed on "
            "the switch ports, choose other VLANS, or use the profile kubernetes-node-local"
        )


@contextmanager
def blamed_on(blame: Blame, way: Callable[[], str] = str) -> Iterator[None]:
    """Turn a fault of the product into a LAB ERROR where the lab is to blame: the product has not acted yet.

    ``way`` tells what is between the guests, and the remedy.
    """
    try:
        yield
    except ProductFault as fault:
        if blame == "product":
            raise
        first, line, rest = f"before the change: {fault}".partition("\n")
        told = way()
        raise LabError(f"{first}{'; ' if told else ''}{told}{line}{rest}") from None


@contextmanager
def told_after(context: str) -> Iterator[None]:
    """Begin the message of a check that fails with what was found before it; ``context`` is "" for nothing."""
    try:
        yield
    except (ProductFault, LabError) as error:
        if context:
            prefix = LAB_ERROR_PREFIX if isinstance(error, LabError) else ""
            error.args = (f"{prefix}{context} {str(error).removeprefix(LAB_ERROR_PREFIX)}",)
        raise
