# SPDX-License-Identifier: Apache-2.0
"""The guest's SSH server gives a descriptor back only when nothing of it is left in the event loop."""

from __future__ import annotations

import asyncio
import os
from unittest.mock import MagicMock

from emulator.guest.sshd import _Pump


def test_the_next_owner_of_a_descriptor_keeps_its_reader() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        reading, writing = os.pipe()
        pump = _Pump(reading, MagicMock())
        # It now waits for something to read.
        for _ in range(3):
            await asyncio.sleep(0)
        await pump.close()
        again, other = os.pipe()
        assert again == reading
        seen = asyncio.Event()
        loop.add_reader(again, seen.set)
        for _ in range(3):
            await asyncio.sleep(0)
        os.write(other, b"x")
        await asyncio.wait_for(seen.wait(), 5)
        loop.remove_reader(again)
        for descriptor in (writing, again, other):
            os.close(descriptor)

    asyncio.run(scenario())
