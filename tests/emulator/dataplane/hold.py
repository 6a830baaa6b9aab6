# SPDX-License-Identifier: Apache-2.0
"""Builds a lab with a guest in every state and then waits to be killed: ``python -m tests.emulator.dataplane.hold``."""

from __future__ import annotations

import asyncio

from emulator.dataplane import userns
from tests.emulator.dataplane.driver import run
from tests.emulator.dataplane.lab import NEW, Lab


async def hold(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-2"), lab.guest(3, "node-2", NEW))
    await lab.run("g1", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & (setsid sleep 1001 >/dev/null 2>&1 &)")
    async with lab.ssh("p1") as ssh:
        await ssh.create_process("sleep 1002")
        await lab.dataplane.freeze("g2", True)
        await lab.dataplane.kill_inside("g3")
        print("built", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    userns.enter()
    asyncio.run(run(hold))
