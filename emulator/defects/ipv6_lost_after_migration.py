# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.switch_over import Action, SwitchOver


async def _drop_ipv6(now: SwitchOver) -> None:
    for nic in now.changed:
        if device := now.domain.device_of(nic):
            await now.dataplane.run_inside(now.domain.uid, ["ip", "-6", "addr", "flush", "dev", device])


def _without_ipv6(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _drop_ipv6]


DEFECT = Defect(
    name="ipv6-lost-after-migration",
    sentence="At the end of the swap the NIC loses its IPv6 addresses inside the guest; IPv4 goes on.",
    rows=("R29",),
    point="agent.after_switch_over",
    change=_without_ipv6,
)
