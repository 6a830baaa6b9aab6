# SPDX-License-Identifier: Apache-2.0
"""The types of keyword arguments that the reference and editors list: names of things, and addresses.

Keywords get plain text; they check it themselves, so that a wrong name is told with the names that there are.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_interface

from livenad.errors import TestError
from livenad.model import Address


class VmName(str):
    """Name of a VM of this suite, as `Define VM` defined it: lower-case letters, digits and hyphens."""

    __slots__ = ()


class NicName(str):
    """Name of a NIC in the VM's spec, as `Add NIC` or `Hot Plug NIC` gave it."""

    __slots__ = ()


class NetworkName(str):
    """Name of a network (NAD), as `Create Network` made it, or ``namespace/name`` of a NAD that exists."""

    __slots__ = ()


class Addresses(str):
    """IP addresses with their prefix, separated by commas, such as ``10.10.0.10/24, fd00::10/64``."""

    __slots__ = ()


def parse_addresses(text: str | None, nic: str) -> tuple[Address, ...]:
    """The addresses of a NIC. TestError for one that is wrong or has no prefix."""
    return tuple(_address(part.strip(), nic) for part in (text or "").split(",") if part.strip())


def _address(text: str, nic: str) -> Address:
    expected = "expected an address with its prefix, such as 10.10.0.10/24 or fd00::10/64"
    if "/" not in text:
        raise TestError(f'address "{text}" of NIC "{nic}" has no prefix; {expected}')
    try:
        return ip_interface(text)
    except ValueError as error:
        raise TestError(f'address "{text}" of NIC "{nic}": {error}; {expected}') from error


def _documented(kind: type) -> Callable[[str], str]:
    def as_text(text: str) -> str:
        return text

    as_text.__doc__ = kind.__doc__  # the reference shows it
    return as_text


CONVERTERS: dict[type, Callable[[str], object]] = {
    kind: _documented(kind) for kind in (VmName, NicName, NetworkName, Addresses)
}
"""For ``ROBOT_LIBRARY_CONVERTERS``."""
