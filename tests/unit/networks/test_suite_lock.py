# SPDX-License-Identifier: Apache-2.0
"""Suites of several runs on one cluster: they share it, or one runs alone, and no suite waits in a circle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from livenad.api.client import Cluster
from livenad.api.recorder import Heartbeat, silent
from livenad.errors import LabError
from livenad.networks.leasebook import EXCLUSIVE, SUITE
from livenad.networks.suite_lock import EXCLUSIVE_NAME, SuiteLock

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.leases import DEAD, SHELF, book_of, names_of, put_lease

Make = Callable[..., SuiteLock]


@pytest.fixture
def make(cluster: Cluster) -> Iterator[Make]:
    keepers = []

    def lock(run: str, within: float = 10, heartbeat: Heartbeat = silent) -> SuiteLock:
        book, keeper = book_of(cluster, run)
        keepers.append(keeper)
        return SuiteLock(book, within, heartbeat)

    yield lock
    for keeper in keepers:
        keeper.stop()


def background(action: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def await_lease(api: FakeApi, name: str) -> None:
    with api.condition:
        assert api.condition.wait_for(lambda: (SHELF, name) in api.objects, 5)


def test_suites_share_the_cluster(api: FakeApi, make: Make) -> None:
    one, other = make("r1"), make("r2")
    one.share()
    other.share()
    assert names_of(api) == {"kubevirt-nad-tests-suite-r1", "kubevirt-nad-tests-suite-r2"}
    one.leave()
    other.leave()
    assert names_of(api) == set()


def test_suite_alone_waits_for_those_that_run_and_says_so(api: FakeApi, make: Make) -> None:
    lines: list[str] = []
    said = threading.Event()

    def say(line: str) -> None:
        lines.append(line)
        said.set()

    sharing, alone = make("r1"), make("r2", heartbeat=say)
    sharing.share()
    thread = background(alone.alone)
    await_lease(api, EXCLUSIVE_NAME)
    assert said.wait(5)
    assert thread.is_alive()
    sharing.leave()
    thread.join(5)
    assert not thread.is_alive()
    assert lines[0].startswith("waiting for the running suites: run r1 (")


def test_suites_wait_for_the_one_that_runs_alone(api: FakeApi, make: Make) -> None:
    alone, sharing = make("r1"), make("r2")
    alone.alone()
    thread = background(sharing.share)
    with api.condition:
        assert api.condition.wait_for(lambda: any(seen.query.get("watch") for seen in api.seen), 5)
    assert thread.is_alive()
    assert names_of(api) == {EXCLUSIVE_NAME}
    alone.leave()
    thread.join(5)
    assert names_of(api) == {"kubevirt-nad-tests-suite-r2"}


def test_nobody_waits_in_a_circle(make: Make) -> None:
    """Six runs, each with suites of both kinds, one after the other: all get through, and who is alone is alone."""
    inside: list[str] = []
    clashes: list[str] = []
    guard = threading.Lock()

    def run(number: int) -> None:
        lock = make(f"r{number}", 60)
        for turn in range(3):
            exclusive = (number + turn) % 3 == 0
            (lock.alone if exclusive else lock.share)()
            with guard:
                if exclusive and inside:
                    clashes.append(f"r{number} is not alone: {inside}")
                if any(kind == "alone" for kind in inside):
                    clashes.append(f"r{number} runs beside one that is alone")
                inside.append("alone" if exclusive else "shared")
            time.sleep(0.02)
            with guard:
                inside.remove("alone" if exclusive else "shared")
            lock.leave()

    threads = [background(lambda number=number: run(number)) for number in range(6)]  # type: ignore[misc]
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert clashes == []


def test_dead_runs_are_not_waited_for(api: FakeApi, make: Make) -> None:
    put_lease(api, "kubevirt-nad-tests-suite-dead", "dead", SUITE, lasts=DEAD)
    put_lease(api, EXCLUSIVE_NAME, "dead", EXCLUSIVE, lasts=DEAD)
    make("r1").alone()
    assert api.objects[SHELF, EXCLUSIVE_NAME]["spec"]["holderIdentity"] == "r1"
    assert names_of(api) == {EXCLUSIVE_NAME}


def test_run_that_dies_while_others_wait_for_it_is_waited_for_no_longer_than_its_lease(
    api: FakeApi, make: Make
) -> None:
    put_lease(api, EXCLUSIVE_NAME, "dying", EXCLUSIVE, lasts=1)
    began = time.monotonic()
    make("r1").share()
    assert 1 <= time.monotonic() - began < 5
    assert names_of(api) == {"kubevirt-nad-tests-suite-r1"}


def test_wait_ends_with_the_holders_and_the_remedy_and_leaves_nothing(api: FakeApi, make: Make) -> None:
    put_lease(api, "kubevirt-nad-tests-suite-long", "long", SUITE)
    with pytest.raises(LabError) as caught:
        make("r1", 0.3).alone()
    message = str(caught.value)
    assert "this suite could not begin: it waited 0.3 s for the running suites: run long (ann@desk)" in message
    assert "--variable LEASE_TIMEOUT:<time>" in message
    assert names_of(api) == {"kubevirt-nad-tests-suite-long"}
