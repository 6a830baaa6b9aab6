# SPDX-License-Identifier: Apache-2.0
"""Keywords on what a guest is: its boot and its interfaces."""

from __future__ import annotations

import time

from KubeVirtLibrary.log import folded, step, warn
from KubeVirtLibrary.types import NicName, VmName
from livenad.api.status import first_answered
from livenad.errors import LabError
from livenad.guest.requirements import not_observed
from livenad.identity.guest_identity import (
    GuestIdentity,
    interface_changes,
    interface_of,
)
from livenad.identity.judge_guest import judge_booted_once, judge_interface_kept, judge_ran_on, judge_rebooted
from livenad.identity.read_identity import read_identity, read_settled_identity
from livenad.text import human
from robot.api.deco import keyword

from GuestLibrary.guest_component import GuestComponent


class IdentityKeywords(GuestComponent):
    """Recording a guest, and comparing it with what was recorded."""

    @keyword(name="Record Guest", tags=["identity", "core"])
    def record_guest(self, vm: VmName) -> None:
        """Records the state of a VM and its guest, for keywords that compare it later.

        Call it before the VM is changed. Recorded are the boot id, the uptime, and name, MAC, MTU, addresses, routes
        and link state of each interface in the guest, and all other values of the guest that
        `Nothing Else Should Have Changed` compares. (The states in the API are recorded all the time.)

        A process is started in the guest, which must survive the change; it ends by itself after two hours. From each
        NIC a TCP connection is opened to another VM of the suite on the same network, if there is one and both guests
        have ``python3``.

        An earlier record of this VM is replaced. If the guest lacks a tool, a warning lists which values cannot be
        read.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | Record Guest    web
        """
        from livenad.invariants.open_connections import open_connections  # noqa: PLC0415 - slow to import

        guests, record = self.guests, self.vm(vm)
        identity = read_identity(guests.shell(record.name))
        for nic in record.nics:
            interface_of(identity, nic, f"guest {record.namespace}/{record.name}")
        self.suite.recorded_guests.record(record.name, identity)
        others = [one for one in self.suite.vms.started if one.name != record.name and one.guest_is_known]
        held = open_connections(guests, record, others)
        state = self.suite.records.record(record.name, guests.shell(record.name), self.history, held).guest
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
        said = self.suite.verdicts.of_samples(judge_ran_on, title, before.identity, now, elapsed)
        step(f"Guest {record.name}: {said}")

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
        elapsed = time.monotonic() - before.at
        said = self.suite.verdicts.of_samples(judge_rebooted, record.subject, before.identity, now, elapsed)
        step(f"Guest {record.name}: {said}")

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
        elapsed = time.monotonic() - before.at
        said = self.suite.verdicts.of_samples(judge_interface_kept, record.subject, nic, interface, now, elapsed)
        seen = "" if before.identity.has_ip and now.has_ip else "; not observed: addresses and routes (it has no `ip`)"
        self.suite.unobserved += [seen.removeprefix("; not observed: ")] if seen else []
        _show(f"Guest {record.name}: {said}{seen}", now)

    def _require_booted_once(self, vm: str, title: str) -> None:
        answered = first_answered(self.history, vm)
        if answered is None:
            raise LabError(f"{title}: its guest agent has not answered yet, so nothing is known of its boot")
        # Before the guest is asked: a connection may have to be made first, and the uptime is read after that.
        elapsed = time.monotonic() - answered
        now = read_identity(self.guests.shell(vm))
        step(f"Guest {vm}: {self.suite.verdicts.of_samples(judge_booted_once, title, now.uptime, elapsed)}")


def _show(headline: str, identity: GuestIdentity) -> None:
    lines = []
    for interface in identity.interfaces.values():
        lines.append(f"{interface.name}  {interface.mac}  MTU {interface.mtu}  link {interface.link}")
        lines += [f"    address {address}" for address in interface.addresses]
        lines += [f"    route {route}" for route in interface.routes]
    lines += [] if identity.has_ip else ["addresses and routes were not observed: the guest has no `ip`"]
    folded(headline, "interfaces", "\n".join(lines))
