# SPDX-License-Identifier: Apache-2.0
"""Keywords on NICs that come and go while the guest runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from KubeVirtLibrary.log import step
from KubeVirtLibrary.types import NicName, VmName
from livenad.changes import NicHotplug, UnmetWait
from livenad.model import Nic, VmRecord
from livenad.nic_hotplug.guest_nic import address_command, await_interface, await_no_interface
from livenad.nic_hotplug.judge_guest_nic import judge_absent, judge_present
from livenad.text import human
from robot.api.deco import keyword

from GuestLibrary.guest_component import GuestComponent


class NicHotplugKeywords(GuestComponent):
    """A hot-plug is done for its user only when the guest has the NIC."""

    @keyword(name="Configure Guest NIC", tags=["nic hotplug", "core"])
    def configure_guest_nic(self, vm: VmName, *, nic: NicName, within: timedelta) -> None:
        """Waits until the guest has a NIC of `Hot Plug NIC`, and gives it its addresses. Does not judge the result.

        If the NIC does not come in time, the keyword passes (see `Close Test Namespace`).

        If NetworkManager runs in the guest, the keyword adds a profile; otherwise it sets the addresses by ``ip``.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | name of the NIC in the VM's spec. |
        | ``within`` | longest wait until the guest has the NIC. |

        Example:
        | Configure Guest NIC    web    nic=extra    within=1 min
        """
        record = self.vm(vm)
        wanted = record.nic(nic)
        shell = self.guests.shell(record.name)
        found = await_interface(shell, wanted, within.total_seconds())
        if found is None:
            lacks = f"no interface has the MAC {wanted.mac}"
            change, limit = self.suite.changes.of_nic(record.name, wanted.name), within.total_seconds()
            self.suite.changes.unmet.append(UnmetWait(change, "the guest to have the NIC", limit, lacks))
            step(f"Guest {record.name}: {lacks} after {human(limit)}")
            return
        shell.run(address_command(wanted), timeout=60)
        given = ", ".join(map(str, wanted.addresses))
        step(f"Guest {record.name}: {found.name} has the MAC {wanted.mac}; {given} given")

    @keyword(name="Guest NIC Should Be", tags=["nic hotplug", "core"])
    def guest_nic_should_be(
        self,
        vm: VmName,
        nic: NicName,
        state: Literal["present", "absent"],
        *,
        within: timedelta = timedelta(seconds=5),
    ) -> None:
        """Fails unless a NIC is present in the guest, or absent.

        *Present*: an interface has the NIC's MAC, and a carrier. *Absent*: no interface has its MAC.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | name that the NIC has in the VM's spec, or had before `Hot Unplug NIC`. |
        | ``state`` | ``present`` or ``absent``. |
        | ``within`` | longest wait, from now on. |

        Example:
        | Guest NIC Should Be    web    extra    present    within=30 s
        """
        record = self.vm(vm)
        if state == "present":
            self._require_present(record, record.nic(nic), within.total_seconds())
        else:
            self._require_absent(record, self._unplugged(record, nic), within.total_seconds())

    def _require_present(self, record: VmRecord, nic: Nic, seconds: float) -> None:
        found = await_interface(self.guests.shell(record.name), nic, seconds)
        said = self.suite.verdicts.of_samples(judge_present, record.subject, nic, found, seconds)
        step(f"Guest {record.name}: {said}")

    def _require_absent(self, record: VmRecord, nic: Nic, seconds: float) -> None:
        found = await_no_interface(self.guests.shell(record.name), nic, seconds)
        said = self.suite.verdicts.of_samples(judge_absent, record.subject, nic, found, seconds)
        step(f"Guest {record.name}: {said}")

    def _unplugged(self, record: VmRecord, nic: str) -> Nic:
        for change in reversed(self.suite.changes.of(NicHotplug, record.name)):
            if change.nic.name == nic:
                return change.nic
        return record.nic(nic)
