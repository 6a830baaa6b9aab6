# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.switch_over import Action, SwitchOver


async def _cut(now: SwitchOver) -> None:
    for interface in now.target.segments:
        await now.dataplane.detach(now.target.uid, interface)


def _with_cut(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _cut]


DEFECT = Defect(
    name="migration-loses-networks",
    sentence="No secondary network works after a live migration, whatever the migration was for.",
    rows=("R4", "R10", "R1"),
    point="agent.after_switch_over",
    change=_with_cut,
)
