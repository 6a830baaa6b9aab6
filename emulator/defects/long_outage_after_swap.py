# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from typing import Any

from ..dataplane.errors import DataPlaneError
from ..fault_points import Defect
from ..nodeagent.switch_over import Action, SwitchOver

SECONDS = 8.0


class _Outage:
    """Links down before the first frame of the new network, up again later; the migration goes on meanwhile."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def before(self, actions: list[Action], **_: Any) -> list[Action]:
        return [*actions, self._links_down]

    def after(self, actions: list[Action], **_: Any) -> list[Action]:
        return [*actions, self._begin]

    async def _links_down(self, now: SwitchOver) -> None:
        for nic in now.changed:
            await now.dataplane.set_link(now.domain.uid, nic, False)

    async def _begin(self, now: SwitchOver) -> None:
        task = asyncio.create_task(self._end(now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, now: SwitchOver) -> None:
        await asyncio.sleep(SECONDS)
        for nic in now.changed:
            try:
                await now.dataplane.set_link(now.domain.uid, nic, True)
            except (DataPlaneError, OSError):
                return


_outage = _Outage()

DEFECT = Defect(
    name="long-outage-after-swap",
    sentence="After the swap the NIC carries nothing for 8 s, as with a switch that learns the new port too late.",
    rows=("R45",),
    point="agent.after_switch_over",
    change=_outage.after,
    also=(("agent.before_switch_over", _outage.before),),
)
