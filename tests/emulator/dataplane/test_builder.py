# SPDX-License-Identifier: Apache-2.0
"""The one thread that builds: its jobs run to their end, even if their callers are cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulator.dataplane.netns import Builder


@pytest_asyncio.fixture
async def builder() -> AsyncIterator[Builder]:
    found = Builder()
    yield found
    found.close()


async def test_job_that_waits_for_its_turn_is_done_though_its_caller_is_cancelled(builder: Builder) -> None:
    """A pod that is being removed when its node's agent goes away must not keep its namespace for ever."""
    may_end, done = threading.Event(), threading.Event()
    first = asyncio.create_task(builder.run(may_end.wait))
    second = asyncio.create_task(builder.run(done.set))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    may_end.set()
    assert await first
    await builder.run(lambda: None)
    assert done.is_set()


async def test_what_is_made_for_a_cancelled_caller_is_undone(builder: Builder) -> None:
    may_end = threading.Event()
    undone: list[object] = []
    making = asyncio.create_task(builder.make(lambda: may_end.wait() and "made", undone.append))
    await asyncio.sleep(0)
    making.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert undone == ["made"]
