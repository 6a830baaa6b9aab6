"""Runs one scenario in a process of its own: ``python -m tests.emulator.fabric.driver MODULE FUNCTION``.

The process enters the sandbox at its start, which a test process must never do.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable

from emulator.fabric import sandbox
from emulator.fabric.namespaces import NamespaceFabric
from tests.emulator.fabric.lab import NODES, Lab


async def _run(scenario: Callable[[Lab], Awaitable[None]]) -> None:
    fabric = NamespaceFabric()
    await fabric.start(NODES)
    try:
        await scenario(Lab(fabric))
    finally:
        await fabric.stop()


def enter_and_run(scenario: Callable[[Lab], Awaitable[None]]) -> None:
    sandbox.enter()
    asyncio.run(_run(scenario))


def main() -> None:
    module, function = sys.argv[1:3]
    enter_and_run(getattr(importlib.import_module(f"tests.emulator.fabric.{module}"), function))


if __name__ == "__main__":
    main()
