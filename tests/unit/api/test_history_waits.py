# SPDX-License-Identifier: Apache-2.0
"""Waits for records of a history: which records wake them, and when they end."""

from __future__ import annotations

import threading
import time

import pytest
from livenad.api.history import MODIFIED, History
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM, Kind, Object
from livenad.api.waits import Wait

from tests.unit.support.states import event, item, launcher, migration, two_vms


class Waiting:
    """A wait in a thread of its own. ``asked`` is how often its predicate was asked, ``slept`` how often it slept."""

    def __init__(self, history: History, vms: set[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = self.slept = 0
        self.result: object = None
        self._done = False
        self._history = history
        self._asleep = threading.Semaphore(0)
        sleep = Wait.sleep

        def fall_asleep(wait: Wait, seconds: float) -> None:
            self.slept += 1
            self._asleep.release()
            sleep(wait, seconds)

        monkeypatch.setattr(Wait, "sleep", fall_asleep)
        self._thread = threading.Thread(target=self._wait, args=(vms,))
        self._thread.start()
        assert self._asleep.acquire(timeout=10)

    def tell(self, kind: Kind, found: Object, *, wakes: bool) -> None:
        """A record arrives; returns when the wait sleeps again, if it is one that wakes it."""
        self._history.append(kind, MODIFIED, found)
        assert not wakes or self._asleep.acquire(timeout=10)

    def finish(self, kind: Kind, found: Object) -> None:
        """The same with a record by which the predicate comes true; returns when the wait has ended."""
        self._done = True
        self._history.append(kind, MODIFIED, found)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _wait(self, vms: set[str] | None) -> None:
        self.result = self._history.wait(self._predicate, time.monotonic() + 20, vms)

    def _predicate(self) -> bool:
        self.asked += 1
        return self._done


def test_a_wait_for_one_vm_is_not_even_woken_for_records_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(History(), {"web"}, monkeypatch)
    waiting.tell(VM, item(1, "db", "u2"), wakes=False)
    waiting.tell(POD, launcher(2, "launcher", "db"), wakes=False)
    waiting.tell(EVENT, event(3, POD, "launcher"), wakes=False)
    waiting.tell(VM, item(4), wakes=True)
    waiting.tell(MIGRATION, migration(5, "m1", "db"), wakes=False)
    waiting.finish(VM, item(6))
    assert (waiting.asked, waiting.slept, waiting.result) == (3, 2, True)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (POD, launcher(5, "launcher-web", "web")),
        (MIGRATION, migration(5, "m1", "web")),
        (NAD, item(5, "blue")),
        (EVENT, event(5, POD, "unknown")),
    ],
)
def test_a_wait_for_one_vm_is_asked_for_what_is_its_or_nobodys(
    kind: Kind, found: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(History(), {"web"}, monkeypatch)
    waiting.finish(kind, found)
    assert (waiting.asked, waiting.result) == (2, True)


def test_a_wait_for_one_vm_is_asked_for_a_late_state_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list has shown a later one already, so that it does not stand at the end of the history."""
    history = History()
    history.append(VM, MODIFIED, item(5))
    history.append(VM, MODIFIED, item(9, "db", "u2"))
    waiting = Waiting(history, {"web"}, monkeypatch)
    waiting.tell(VM, item(8, "db", "u2"), wakes=False)
    waiting.finish(VM, item(4))
    assert (waiting.asked, waiting.result) == (2, True)


@pytest.mark.parametrize("vms", [None, {"web", "db"}])
def test_a_wait_for_all_is_asked_for_each_record(vms: set[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(History(), vms, monkeypatch)
    for version, name in enumerate(("web", "db", "web"), 1):
        waiting.tell(VM, item(version, name, name), wakes=True)
        assert waiting.asked == version + 1
    waiting.finish(VM, item(9))
    assert waiting.asked == 5


def test_a_wait_ends_at_its_deadline_whatever_comes() -> None:
    history = History()
    began = time.monotonic()
    assert history.wait(lambda: None, began + 0.1, {"web"}) is None
    assert history.wait(lambda: None, began) is None
    assert time.monotonic() - began < 5


def test_of_many_vms_each_is_looked_at_when_something_of_it_came() -> None:
    """A record of a VM costs one look at that VM, however many there are; an event costs none."""
    history = History()
    names = [f"vm-{number}" for number in range(100)]
    asked: list[str] = []

    def is_done(name: str) -> bool:
        asked.append(name)
        return history.current(POD, f"launcher-{name}") is not None

    def arrive() -> None:
        for version, name in enumerate(names, 1):
            history.append(VM, MODIFIED, item(version, name, name))
            history.append(EVENT, MODIFIED, event(1000 + version, POD, "unknown"))
        for version, name in enumerate(names, 2000):
            history.append(POD, MODIFIED, launcher(version, f"launcher-{name}", name))

    thread = threading.Thread(target=arrive)
    thread.start()
    assert history.wait_for_each(names, is_done, time.monotonic() + 20) == []
    thread.join()
    assert len(names) <= len(asked) <= 3 * len(names)


def test_of_many_vms_those_are_told_that_are_not_done() -> None:
    history = two_vms()
    done = {"db": True, "web": False}
    assert history.wait_for_each(["web", "db"], done.__getitem__, time.monotonic() + 0.05) == ["web"]


def test_a_vm_that_was_done_and_is_so_no_more_is_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    history.append(VM, MODIFIED, item(1))
    states = iter([(VM, item(2, "db", "u2")), (VM, item(3)), (VM, item(4))])

    def arrive_while_it_sleeps(wait: Wait, _seconds: float) -> None:
        history.append(next(states)[0], MODIFIED, arrived.pop(0))

    arrived = [item(2), item(3, "db", "u2"), item(4)]
    monkeypatch.setattr(Wait, "sleep", arrive_while_it_sleeps)

    def is_done(name: str) -> bool:
        return history.current(VM, name) in (item(1), item(3, "db", "u2"), item(4))

    assert history.wait_for_each(["web", "db"], is_done, time.monotonic() + 20) == []
    assert arrived == []
