# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a NIC in the guest: present or absent after ``seconds``. Pure; each returns what it saw."""

from __future__ import annotations

from livenad.errors import ProductFault
from livenad.identity.guest_identity import GuestInterface
from livenad.model import Nic
from livenad.text import human


def judge_present(subject: str, nic: Nic, found: GuestInterface | None, seconds: float) -> str:
    """An interface has the NIC's MAC, and a carrier."""
    if found is None:
        raise ProductFault(
            f'{subject}: its guest should have NIC "{nic.name}"; for {human(seconds)} no interface has had the MAC '
            f"{nic.mac}"
        )
    if not found.carrier:
        raise ProductFault(f'{subject}: NIC "{nic.name}" is {found.name} in the guest and has no carrier')
    return f'NIC "{nic.name}" is {found.name}, MAC {found.mac}, link {found.link}'


def judge_absent(subject: str, nic: Nic, found: GuestInterface | None, seconds: float) -> str:
    """No interface has the NIC's MAC."""
    if found is not None:
        raise ProductFault(
            f'{subject}: its guest should have lost NIC "{nic.name}"; after {human(seconds)} {found.name} still has '
            f"the MAC {nic.mac}, link {found.link}"
        )
    return f'no interface has the MAC {nic.mac} of NIC "{nic.name}" any more'
