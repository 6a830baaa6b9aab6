# SPDX-License-Identifier: Apache-2.0
"""A stop signal breaks no lock: it is passed on when the main thread is where an exception does no harm."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import FrameType
from typing import Any

import pytest
from livenad.stop_signals import StopSignalGuard


class Stopped(Exception):
    """What the handler behind the guard raises, as Robot's does."""


class Lock:
    """A lock that is just taken when the signals come."""

    def __init__(self, *signals: int) -> None:
        self.lock = threading.Lock()
        self.signals = signals

    def acquire(self) -> bool:
        taken = self.lock.acquire()
        for number in self.signals:
            signal.raise_signal(number)
        return taken

    def release(self) -> None:
        self.lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.fixture
def came() -> Iterator[list[int]]:
    """The signals that were passed on, by handlers that raise."""
    numbers: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        numbers.append(number)
        raise Stopped

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield numbers
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def linger() -> None:
    """For longer than a signal is held back."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        pass


@pytest.mark.circumstance(
    "Ctrl-C comes while a thread waits",
    topic="input",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_signal_within_a_condition_leaves_its_lock_free(came: list[int]) -> None:
    StopSignalGuard().install()
    lock = Lock(signal.SIGTERM)
    condition = threading.Condition(lock)  # type: ignore[arg-type]
    with pytest.raises(Stopped):
        with condition:
            pass
        linger()
    assert came == [signal.SIGTERM]
    assert lock.lock.acquire(blocking=False)


def test_without_the_guard_the_lock_stays_taken(came: list[int]) -> None:
    """So that the test above proves something."""
    lock = Lock(signal.SIGTERM)
    with pytest.raises(Stopped), threading.Condition(lock):  # type: ignore[arg-type]
        pass
    assert came == [signal.SIGTERM]
    assert not lock.lock.acquire(blocking=False)


def test_waiting_ends_at_once(came: list[int]) -> None:
    StopSignalGuard().install()
    threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        threading.Event().wait(30)
    assert time.monotonic() - began < 10
    assert came == [signal.SIGINT]


@pytest.mark.parametrize("wait", ["event", "queue", "join", "lock", "condition", "future"])
def test_waiting_ends_at_once_whatever_is_waited_for(came: list[int], wait: str) -> None:
    StopSignalGuard().install()
    done = threading.Event()
    busy = threading.Thread(target=done.wait, args=(30,))
    busy.start()
    lock, condition = threading.Lock(), threading.Condition()
    lock.acquire()

    def wait_for_condition() -> None:
        with condition:
            condition.wait(30)

    waits: dict[str, Callable[[], object]] = {
        "event": lambda: threading.Event().wait(30),
        "queue": lambda: queue.Queue[int]().get(timeout=30),
        "join": lambda: busy.join(30),
        "lock": lambda: in_module("queue", "def block(lock): lock.acquire(timeout=30)")(lock),
        "condition": wait_for_condition,
        "future": lambda: Future[int]().result(timeout=30),
    }
    threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        waits[wait]()
    took = time.monotonic() - began
    done.set()
    busy.join()
    assert took < 1.5, "it was passed on because the patience was over, not because the thread waited"
    assert came == [signal.SIGINT]
    assert condition.acquire(blocking=False)


def in_module(name: str, text: str) -> Callable[..., object]:
    """The function ``block`` that a text defines, as one of that module."""
    space: dict[str, Any] = {"__name__": name, "signal": signal, "linger": linger}
    exec(text, space)  # noqa: S102
    found: Callable[..., object] = space["block"]
    return found


def test_no_lock_is_left_taken_wherever_the_signal_comes(came: list[int]) -> None:
    """A condition and a queue are used without a pause, and stopped at any instruction."""
    StopSignalGuard().install()
    main = threading.main_thread().ident or 0
    for number in range(40):
        numbers, condition = queue.Queue[int](), threading.Condition(threading.Lock())
        timer = threading.Timer(number % 23 / 10_000, signal.pthread_kill, (main, signal.SIGINT))
        with pytest.raises(Stopped):
            timer.start()
            while True:
                numbers.put(1)
                numbers.get()
                with condition:
                    condition.notify_all()
                    condition.wait(0.05)
        assert numbers.mutex.acquire(blocking=False), "the queue's lock stays taken"
        assert condition.acquire(blocking=False), "the condition's lock stays taken"


def test_signal_elsewhere_is_passed_on_at_once(came: list[int]) -> None:
    StopSignalGuard().install()
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGINT)
    assert came == [signal.SIGINT]


def test_second_signal_is_not_held_back(came: list[int]) -> None:
    StopSignalGuard().install()
    with pytest.raises(Stopped), threading.Condition(Lock(signal.SIGTERM, signal.SIGINT)):  # type: ignore[arg-type]
        pass
    assert came == [signal.SIGTERM, signal.SIGINT]


def test_signal_is_held_back_for_so_long_only(came: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.stop_signals._PATIENCE", 0.05)
    StopSignalGuard().install()
    block = in_module("queue", "def block():\n    signal.raise_signal(signal.SIGTERM)\n    linger()\n")
    with pytest.raises(Stopped):
        block()
    assert came == [signal.SIGTERM]


def test_guard_is_for_the_main_thread_and_for_handlers_only(came: list[int]) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=StopSignalGuard().install)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is handler
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    StopSignalGuard().install()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert came == []


def test_a_system_without_realtime_signals_will_do(came: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGRTMIN")
    StopSignalGuard().install()
    lock = Lock(signal.SIGTERM)
    condition = threading.Condition(lock)  # type: ignore[arg-type]
    with pytest.raises(Stopped):
        with condition:
            pass
        linger()
    assert came == [signal.SIGTERM]
    assert lock.lock.acquire(blocking=False)
