# SPDX-License-Identifier: Apache-2.0
"""Keywords on what a guest is: its boot and its interfaces."""

from __future__ import annotations

import time

from KubeVirtLibrary.log import folded, step, warn
from KubeVirtLibrary.types import NicName, VmName
from livenad.api.status import first_answered
from livenad.errors import LabError, ProductFault
from livenad.guest.requirements import not_observed
from livenad.identity.guest_identity import (
    GuestIdentity,
    interface_changes,
    interface_of,
    read_identity,
    read_settled_identity,
    reboot_evidence,
    second_boot,
)
from livenad.text import human
from robot.api.deco import keyword

from GuestLibrary.guest_component import GuestComponent


class IdentityKeywords(GuestComponent):
    """Recording a guest, and comparing it with what was recorded."""

    @keyword(name="Record Guest", tags=["identity", "core"])
    def record_guest(self, vm: VmName) -> None:
        """Records the state of a VM and its guest, for keywords that compare it later.

        Call it before the VM is changed. Recorded are the boot id, the uptime, and name, MAC, MTU, addresses, routes
        and link state of each interface in the guest, and all other values that `Nothing Else Should Have Changed`
        compares. A process is started in the guest, which must survive the change; it ends by itself after two hours.

        An earlier record of this VM is replaced. If the guest lacks a tool, a warning lists which values cannot be
        read.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | Record Guest    web
        """
        guests, record = self.guests, self.vm(vm)
        identity = read_identity(guests.shell(record.name))
        for nic in record.nics:
            interface_of(identity, nic, f"guest {record.namespace}/{record.name}")
        self.suite.recorded_guests.record(record.name, identity)
        state = self.suite.records.record(record.name, guests.shell(record.name), self.history).guest
        if missing := guests.missing_tools(record.name):
            warn(f"Guest {record.name} lacks what values rest on: {not_observed(missing)}")
        _show(
            f"Guest {record.name}: boot id {identity.boot_id}, up {human(identity.uptime)}; {len(state.values)} values "
            "recorded",
            identity,
        )

    @keyword(name="Guest Should Not Have Rebooted", tags=["identity", "core"])
    def guest_should_not_have_rebooted(self, vm: VmName) -> None:
        """Fails if the guest has another boot id than at `Record Guest`, or a smaller uptime.

        If the guest was not recorded, for example because the VM was changed while it was starting, it must have run
        since its guest agent first answered.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | Guest Should Not Have Rebooted    web
        """
        guests, recorded, record = self.guests, self.suite.recorded_guests, self.vm(vm)
        title = f"VM {record.namespace}/{record.name}"
        if record.name not in recorded:
            self._require_booted_once(record.name, title)
            return
        before = recorded[record.name]
        now = read_identity(guests.shell(record.name))
        elapsed = time.monotonic() - before.at
        if evidence := reboot_evidence(before.identity, now, elapsed):
            raise ProductFault(f"{title}: its guest should have run on since it was recorded; {evidence}")
        step(
            f"Guest {record.name}: boot id {now.boot_id} as before, uptime grew from {before.identity.uptime:.2f} s "
            f"to {now.uptime:.2f} s in {human(elapsed)}"
        )

    @keyword(name="Guest Should Have Rebooted", tags=["identity", "core"])
    def guest_should_have_rebooted(self, vm: VmName) -> None:
        """Fails if the guest has the same boot id as at `Record Guest`.

        Args:
        | ``vm`` | a VM that was restarted. |

        Example:
        | Guest Should Have Rebooted    web
        """
        guests, recorded, record = self.guests, self.suite.recorded_guests, self.vm(vm)
        before = recorded[record.name]
        now = read_identity(guests.shell(record.name))
        if now.boot_id == before.identity.boot_id:
            raise ProductFault(
                f"VM {record.namespace}/{record.name}: its guest should have booted again within the last "
                f"{human(time.monotonic() - before.at)}; it still has boot id {now.boot_id}, up {human(now.uptime)}"
            )
        step(f"Guest {record.name}: boot id was {before.identity.boot_id}, is {now.boot_id}, up {human(now.uptime)}")

    @keyword(name="Guest Interface Should Be Unchanged", tags=["identity", "core"])
    def guest_interface_should_be_unchanged(self, vm: VmName, *, nic: NicName) -> None:
        """Fails if the guest's interface of a NIC differs from what `Record Guest` recorded.

        The interface is the one that had the NIC's MAC at `Record Guest`. Compared are name, MAC, MTU, addresses,
        routes and link state, but not the lifetimes of addresses and routes. The keyword compares when the interfaces
        of the guest have stopped changing.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | name of the NIC in the VM's spec. |

        Example:
        | Guest Interface Should Be Unchanged    web    nic=secondary
        """
        guests, recorded, record = self.guests, self.suite.recorded_guests, self.vm(vm)
        before = recorded[record.name]
        interface = interface_of(before.identity, record.nic(nic), f"guest {record.namespace}/{record.name}")
        shell = guests.shell(record.name)
        now = read_settled_identity(shell, lambda seen: not interface_changes(interface, seen))
        if changes := interface_changes(interface, now):
            raise ProductFault(
                f'VM {record.namespace}/{record.name}: guest interface {interface.name} (NIC "{nic}") should be as it '
                f"was {human(time.monotonic() - before.at)} ago; {'; '.join(changes)}"
            )
        seen = "" if before.identity.has_ip and now.has_ip else "; not observed: addresses and routes (it has no `ip`)"
        _show(f"Guest {record.name}: interface {interface.name} is as it was, MAC {interface.mac}{seen}", now)

    def _require_booted_once(self, vm: str, title: str) -> None:
        answered = first_answered(self.history, vm)
        if answered is None:
            raise LabError(f"{title}: its guest agent has not answered yet, so nothing is known of its boot")
        # Before the guest is asked: a connection may have to be made first, and the uptime is read after that.
        elapsed = time.monotonic() - answered
        now = read_identity(self.guests.shell(vm))
        if evidence := second_boot(now.uptime, elapsed):
            raise ProductFault(f"{title}: its guest should have booted once; {evidence}")
        step(f"Guest {vm}: up {human(now.uptime)}, its agent first answered {human(elapsed)} ago")


def _show(headline: str, identity: GuestIdentity) -> None:
    lines = []
    for interface in identity.interfaces.values():
        lines.append(f"{interface.name}  {interface.mac}  MTU {interface.mtu}  link {interface.link}")
        lines += [f"    address {address}" for address in interface.addresses]
        lines += [f"    route {route}" for route in interface.routes]
    lines += [] if identity.has_ip else ["addresses and routes were not observed: the guest has no `ip`"]
    folded(headline, "interfaces", "\n".join(lines))
