# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the identity of a guest: its boot and its interfaces. Pure; each returns what it saw.

``elapsed`` is seconds from the recorded reading to the one now, ``subject`` names the VM.
"""

from __future__ import annotations

from livenad.errors import ProductFault
from livenad.identity.guest_identity import (
    GuestIdentity,
    GuestInterface,
    interface_changes,
    reboot_evidence,
    second_boot,
)
from livenad.text import human


def judge_ran_on(subject: str, before: GuestIdentity, now: GuestIdentity, elapsed: float) -> str:
    """The guest has the boot id of then, and its uptime did not go backwards."""
    if evidence := reboot_evidence(before, now, elapsed):
        raise ProductFault(f"{subject}: its guest should have run on since it was recorded; {evidence}")
    return (
        f"boot id {now.boot_id} as before, uptime grew from {before.uptime:.2f} s to {now.uptime:.2f} s in "
        f"{human(elapsed)}"
    )


def judge_booted_once(subject: str, uptime: float, answered: float) -> str:
    """The guest has been up since its agent first answered, ``answered`` seconds ago."""
    if evidence := second_boot(uptime, answered):
        raise ProductFault(f"{subject}: its guest should have booted once; {evidence}")
    return f"up {human(uptime)}, its agent first answered {human(answered)} ago"


def judge_rebooted(subject: str, before: GuestIdentity, now: GuestIdentity, elapsed: float) -> str:
    """The guest has another boot id than then."""
    if now.boot_id == before.boot_id:
        raise ProductFault(
            f"{subject}: its guest should have booted again within the last {human(elapsed)}; it still has boot id "
            f"{now.boot_id}, up {human(now.uptime)}"
        )
    return f"boot id was {before.boot_id}, is {now.boot_id}, up {human(now.uptime)}"


def judge_interface_kept(subject: str, nic: str, before: GuestInterface, now: GuestIdentity, elapsed: float) -> str:
    """An interface of the guest is as it was."""
    if changes := interface_changes(before, now):
        raise ProductFault(
            f'{subject}: guest interface {before.name} (NIC "{nic}") should be as it was {human(elapsed)} ago; '
            f"{'; '.join(changes)}"
        )
    return f"interface {before.name} is as it was, MAC {before.mac}"
