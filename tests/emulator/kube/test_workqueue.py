# SPDX-License-Identifier: Apache-2.0
"""The work queue: order, no duplicates, delays, back-off, limits."""

from __future__ import annotations

import asyncio

import pytest

from emulator.kube.errors import ApiError
from emulator.kube.informer import Key
from emulator.kube.workqueue import WorkQueue

A, B, C = ("demo", "a"), ("demo", "b"), ("demo", "c")


class Syncs:
    """Records which keys are synced; each sync lasts until ``may_end`` is set."""

    def __init__(self) -> None:
        self.started: list[Key] = []
        self.may_end = asyncio.Event()
        self.most_in_parallel = 0
        self._running = 0

    async def __call__(self, key: Key) -> None:
        self.started.append(key)
        self._running += 1
        self.most_in_parallel = max(self.most_in_parallel, self._running)
        try:
            await self.may_end.wait()
        finally:
            self._running -= 1


async def idle(queue: WorkQueue, *keys: Key) -> None:
    async with asyncio.timeout(5):
        while True:
            if not any(queue.holds(key) for key in keys):
                return
            await asyncio.sleep(0)


@pytest.mark.parametrize(("workers", "parallel"), [(1, 1), (2, 2), (None, 3)])
async def test_keys_are_synced_in_order_by_as_many_workers_as_there_are(workers: int | None, parallel: int) -> None:
    syncs = Syncs()
    queue = WorkQueue("test", syncs, workers=workers)
    for key in (A, B, A, C):
        queue.add(key)
    assert not syncs.started
    queue.start()
    await asyncio.sleep(0.01)
    syncs.may_end.set()
    await idle(queue, A, B, C)
    assert (syncs.started, syncs.most_in_parallel) == ([A, B, C], parallel)


async def test_a_key_added_during_its_sync_is_synced_again_and_never_twice_in_parallel() -> None:
    syncs = Syncs()
    queue = WorkQueue("test", syncs, workers=None)
    queue.start()
    queue.add(A)
    await asyncio.sleep(0)
    queue.add(A)
    queue.add(A)
    await asyncio.sleep(0.01)
    assert syncs.started == [A]
    syncs.may_end.set()
    await idle(queue, A)
    assert (syncs.started, syncs.most_in_parallel) == ([A, A], 1)


@pytest.mark.parametrize("error", [ApiError(500, "InternalError", "down"), ValueError("a bug")])
async def test_a_failed_key_is_retried_and_stops_no_other(error: Exception) -> None:
    seen: list[Key] = []
    third = asyncio.Event()

    async def sync(key: Key) -> None:
        seen.append(key)
        if seen.count(A) == 3:
            third.set()
        elif key == A:
            raise error

    queue = WorkQueue("test", sync, first_retry=0.001)
    running = asyncio.create_task(queue.run())
    queue.add(A)
    queue.add(B)
    await asyncio.wait_for(third.wait(), 5)
    assert seen.count(B) == 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_of_two_delays_the_shorter_one_counts() -> None:
    syncs = Syncs()
    syncs.may_end.set()
    queue = WorkQueue("test", syncs)
    queue.start()
    queue.add_after(A, 30)
    queue.add_after(A, 0.01)
    queue.add_after(A, 20)
    await asyncio.sleep(0.05)
    assert syncs.started == [A]


async def test_a_stopped_queue_cancels_its_syncs_and_starts_none() -> None:
    syncs = Syncs()
    queue = WorkQueue("test", syncs, workers=None)
    queue.start()
    queue.add(A)
    queue.add_after(B, 0.01)
    await asyncio.sleep(0)
    await queue.stop()
    queue.add(C)
    await asyncio.sleep(0.05)
    assert (syncs.started, syncs.may_end.is_set()) == ([A], False)
