# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.switch_over import Action, SwitchOver


async def _change_macs(now: SwitchOver) -> None:
    """The guest agent goes on reporting the old MAC, so that the API's view stays as it was."""
    for nic in now.changed:
        device = now.domain.device_of(nic)
        old = now.domain.nics[nic].mac.lower()
        last = int(old[-2:], 16) ^ 0x5A
        new = f"{old[:-2]}{last:02x}"
        if device:
            now.domain.concealed_macs[new] = old
            await now.dataplane.run_inside(now.domain.uid, ["ip", "link", "set", "dev", device, "address", new])


def _with_new_macs(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _change_macs]


DEFECT = Defect(
    name="mac-changes-in-guest-only",
    sentence="During the swap the NIC gets another MAC inside the guest, while the API goes on showing the old one.",
    rows=("R6",),
    point="agent.after_switch_over",
    change=_with_new_macs,
)
