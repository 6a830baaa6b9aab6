"""Keywords on NICs that come and go while the guest runs."""

from __future__ import annotations

from datetime import timedelta

from livenad.errors import ProductFault
from livenad.guest.guests import Guests
from livenad.model import Nic
from livenad.nic_hotplug.guest_nic import address_command, await_interface, await_no_interface
from livenad.nic_hotplug.hotplug import NicChanges
from livenad.reachability.checks import find_nic
from livenad.text import human
from robot.api import logger
from robot.api.deco import keyword

from GuestLibrary.context import current_guests


class PluggingKeywords:
    """A hot-plug is done for its user only when the guest has the NIC."""

    @keyword(name="Address Plugged NIC", tags=["guest"])
    def address_plugged_nic(self, vm: str, *, nic: str, within: timedelta) -> None:
        """Waits until the guest has a NIC of `Hot Plug NIC`, and gives it its addresses. Judges nothing.

        Where NetworkManager runs it is given a profile; elsewhere the addresses are set by ``ip``.

        Args:
        | ``vm``     | Name of the VM. |
        | ``nic``    | Name of the NIC in the VM's spec. |
        | ``within`` | How long the guest may take to have it. |
        """
        guests = current_guests()
        wanted = find_nic(guests.record(vm), nic)
        shell = guests.shell(vm)
        found = await_interface(shell, wanted, within.total_seconds())
        if found is None:
            logger.info(f"Guest {vm}: no interface has the MAC {wanted.mac} after {human(within.total_seconds())}")
            return
        shell.run(address_command(wanted), timeout=60)
        logger.info(f"Guest {vm}: {found.name} has the MAC {wanted.mac}; {', '.join(map(str, wanted.addresses))} given")

    @keyword(name="Guest Should Have NIC", tags=["guest", "verdict"])
    def guest_should_have_nic(self, vm: str, *, nic: str, within: timedelta = timedelta(seconds=5)) -> None:
        """Fails unless an interface of the guest has the MAC of a NIC, and carries a link.

        Args:
        | ``vm``     | Name of the VM. |
        | ``nic``    | Name of the NIC in the VM's spec. |
        | ``within`` | How long it may take from now on. |
        """
        guests = current_guests()
        wanted = find_nic(guests.record(vm), nic)
        found = await_interface(guests.shell(vm), wanted, within.total_seconds())
        if found is None:
            raise ProductFault(
                f'VM {_title(guests, vm)}: its guest should have NIC "{nic}"; for {human(within.total_seconds())} no '
                f"interface has had the MAC {wanted.mac}"
            )
        if not found.carrier:
            raise ProductFault(f'VM {_title(guests, vm)}: NIC "{nic}" is {found.name} in the guest and has no carrier')
        logger.info(f'Guest {vm}: NIC "{nic}" is {found.name}, MAC {found.mac}, link {found.link}')

    @keyword(name="Guest Should Not Have NIC", tags=["guest", "verdict"])
    def guest_should_not_have_nic(self, vm: str, *, nic: str, within: timedelta = timedelta(seconds=5)) -> None:
        """Fails while an interface of the guest has the MAC of a NIC that was taken out by `Hot Unplug NIC`.

        Args:
        | ``vm``     | Name of the VM. |
        | ``nic``    | Name that the NIC had in the VM's spec. |
        | ``within`` | How long it may take from now on. |
        """
        guests = current_guests()
        gone = _unplugged(guests, vm, nic)
        found = await_no_interface(guests.shell(vm), gone, within.total_seconds())
        if found is not None:
            raise ProductFault(
                f'VM {_title(guests, vm)}: its guest should have lost NIC "{nic}"; after '
                f"{human(within.total_seconds())} {found.name} still has the MAC {gone.mac}, link {found.link}"
            )
        logger.info(f'Guest {vm}: no interface has the MAC {gone.mac} of NIC "{nic}" any more')


def _unplugged(guests: Guests, vm: str, nic: str) -> Nic:
    namespace = guests.record(vm).namespace
    return NicChanges.of(guests.run).of_nic(vm, namespace, nic, plugged=False).nic


def _title(guests: Guests, vm: str) -> str:
    return f"{guests.record(vm).namespace}/{vm}"
