# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios in a process of their own: ``python -m tests.emulator.dataplane.driver MODULE FUNCTION...``.

The process enters a user namespace at its start, which a test process must never do. Each scenario has its own data
plane; a few run in parallel. All their guests are forked from one process, as it takes longer to start than a guest.
The last line of output is a JSON object: scenario -> what went wrong, "" where it passed.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import traceback
from collections.abc import Awaitable, Callable

import pytest

from emulator.dataplane import userns
from emulator.dataplane.forkserver import ForkServer
from emulator.dataplane.linux import LinuxDataPlane
from tests.emulator.dataplane.lab import NODES, Lab

Scenario = Callable[[Lab], Awaitable[None]]
_AT_A_TIME = 3
_SECONDS = 60


async def run(scenario: Scenario, forkserver: ForkServer | None = None) -> None:
    dataplane = LinuxDataPlane(forkserver=forkserver)
    await dataplane.start(NODES)
    try:
        await scenario(Lab(dataplane))
    finally:
        await dataplane.stop()


async def _run_all(scenarios: dict[str, Scenario]) -> dict[str, str]:
    places = asyncio.Semaphore(_AT_A_TIME)
    forkserver = ForkServer()
    await forkserver.start()
    results: dict[str, str] = {}

    async def judge(name: str, scenario: Scenario) -> None:
        async with places:
            try:
                await asyncio.wait_for(run(scenario, forkserver), _SECONDS)
                results[name] = ""
            except (Exception, pytest.fail.Exception):
                results[name] = traceback.format_exc()

    try:
        await asyncio.gather(*(judge(name, scenario) for name, scenario in scenarios.items()))
    finally:
        await forkserver.stop()
    return results


def main() -> None:
    module = importlib.import_module(f"tests.emulator.dataplane.{sys.argv[1]}")
    userns.enter()
    print("\n" + json.dumps(asyncio.run(_run_all({name: getattr(module, name) for name in sys.argv[2:]}))))


if __name__ == "__main__":
    main()
