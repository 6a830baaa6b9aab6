"""Keywords on what a guest is: its boot and its interfaces."""

from __future__ import annotations

import html
import time

from livenad.api.status import first_answered
from livenad.context import Run
from livenad.errors import LabError, ProductFault
from livenad.identity.guest_identity import (
    GuestIdentity,
    interface_changes,
    interface_of,
    read_identity,
    read_settled_identity,
    reboot_evidence,
    second_boot,
)
from livenad.reachability.checks import find_nic
from livenad.text import human
from robot.api import logger
from robot.api.deco import keyword

from GuestLibrary.context import current_guests


class IdentityKeywords:
    """Remembering a guest, and comparing it with what was remembered."""

    @keyword(tags=["guest"])
    def remember_guest(self, vm: str) -> None:
        """Reads the identity of a guest and remembers it for later comparison.

        That is its boot id and uptime, and for each interface name, MAC, MTU, addresses, routes and link state, all
        read inside the guest. Replaces what was remembered of this VM before.

        Args:
        | ``vm`` | Name of the VM. |
        """
        guests = current_guests()
        identity = read_identity(guests.shell(vm))
        record = guests.record(vm)
        for nic in record.nics:
            interface_of(identity, nic, f"guest {record.namespace}/{vm}")
        guests.remember(vm, identity)
        _log_identity(f"Guest {vm}: boot id {identity.boot_id}, up {human(identity.uptime)}", identity)

    @keyword(tags=["guest", "verdict"])
    def guest_should_not_have_rebooted(self, vm: str) -> None:
        """Fails if the guest has another boot id than it had at `Remember Guest`, or an uptime that went backwards.

        Args:
        | ``vm`` | Name of the VM. |
        """
        guests = current_guests()
        before = guests.recall(vm)
        now = read_identity(guests.shell(vm))
        elapsed = time.monotonic() - before.at
        evidence = reboot_evidence(before.identity, now, elapsed)
        if evidence:
            title = f"VM {guests.record(vm).namespace}/{vm}"
            raise ProductFault(f"{title}: its guest should have run on since it was remembered; {evidence}")
        logger.info(
            f"Guest {vm}: boot id {now.boot_id} as before, uptime grew from {before.identity.uptime:.2f} s "
            f"to {now.uptime:.2f} s in {human(elapsed)}"
        )

    @keyword(tags=["guest", "verdict"])
    def guest_should_have_booted_once(self, vm: str) -> None:
        """Fails if the guest has not run since its agent first answered: it was booted again since.

        For a VM that something is done to before anybody can log into it; `Remember Guest` serves else.

        Args:
        | ``vm`` | Name of the VM. |
        """
        guests = current_guests()
        title = f"VM {guests.record(vm).namespace}/{vm}"
        answered = first_answered(Run.current().require_recorder().history, vm)
        if answered is None:
            raise LabError(f"{title}: its guest agent has not answered yet, so nothing is known of its boot")
        # Before the guest is asked: a connection may have to be made anew first, and the uptime is read after that.
        elapsed = time.monotonic() - answered
        now = read_identity(guests.shell(vm))
        if evidence := second_boot(now.uptime, elapsed):
            raise ProductFault(f"{title}: its guest should have booted once; {evidence}")
        logger.info(f"Guest {vm}: up {human(now.uptime)}, its agent first answered {human(elapsed)} ago")

    @keyword(tags=["guest", "verdict"])
    def guest_should_have_rebooted(self, vm: str) -> None:
        """Fails if the guest has the same boot id as at `Remember Guest`: it should have been started anew since.

        Args:
        | ``vm`` | Name of the VM. |
        """
        guests = current_guests()
        before = guests.recall(vm)
        now = read_identity(guests.shell(vm))
        if now.boot_id == before.identity.boot_id:
            raise ProductFault(
                f"VM {guests.record(vm).namespace}/{vm}: its guest should have booted anew within the last "
                f"{human(time.monotonic() - before.at)}; it still has boot id {now.boot_id}, up {human(now.uptime)}"
            )
        logger.info(f"Guest {vm}: boot id was {before.identity.boot_id}, is {now.boot_id}, up {human(now.uptime)}")

    @keyword(tags=["guest", "verdict"])
    def guest_interface_should_be_unchanged(self, vm: str, *, nic: str) -> None:
        """Fails if an interface of the guest differs from what it was at `Remember Guest`.

        The interface is the one that carried the NIC's MAC then, and is found by the name it had. Compared are name,
        MAC, MTU, addresses, routes and link state; lifetimes of addresses and routes are not. A difference is judged
        once the guest's interfaces have stopped changing.

        Args:
        | ``vm``  | Name of the VM. |
        | ``nic`` | Name of the NIC in the VM's spec. |
        """
        guests = current_guests()
        record = guests.record(vm)
        before = guests.recall(vm)
        interface = interface_of(before.identity, find_nic(record, nic), f"guest {record.namespace}/{vm}")
        now = read_settled_identity(guests.shell(vm), lambda seen: not interface_changes(interface, seen))
        changes = interface_changes(interface, now)
        if changes:
            raise ProductFault(
                f'VM {record.namespace}/{vm}: guest interface {interface.name} (NIC "{nic}") should be as it was '
                f"{human(time.monotonic() - before.at)} ago; {'; '.join(changes)}"
            )
        _log_identity(f"Guest {vm}: interface {interface.name} is as it was, MAC {interface.mac}", now)


def _log_identity(headline: str, identity: GuestIdentity) -> None:
    lines = []
    for interface in identity.interfaces.values():
        lines.append(f"{interface.name}  {interface.mac}  MTU {interface.mtu}  link {interface.link}")
        lines += [f"    address {address}" for address in interface.addresses]
        lines += [f"    route {route}" for route in interface.routes]
    block = html.escape("\n".join(lines))
    logger.info(f"{html.escape(headline)}<details><summary>interfaces</summary><pre>{block}</pre></details>", html=True)
