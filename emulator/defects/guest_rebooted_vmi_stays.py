# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.switch_over import Action, SwitchOver


async def _reboot(now: SwitchOver) -> None:
    await now.dataplane.reboot(now.domain.uid)


def _with_reboot(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _reboot]


DEFECT = Defect(
    name="guest-rebooted-vmi-stays",
    sentence="The swap reboots the guest, while the VMI object lives on as if nothing had happened.",
    rows=("R19",),
    point="agent.after_switch_over",
    change=_with_reboot,
)
