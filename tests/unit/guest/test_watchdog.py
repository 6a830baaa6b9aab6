# SPDX-License-Identifier: Apache-2.0
"""Waits of other people's libraries are ended in time, in any order, and nothing is ended that is over."""

from __future__ import annotations

import threading
import time

import pytest
from livenad.guest import watchdog
from livenad.guest.watchdog import Watchdog


def test_wait_is_ended_when_its_time_is_over() -> None:
    dog, over = Watchdog(), threading.Event()
    began = time.monotonic()
    with dog.limit(0.2, over.set):
        assert over.wait(5)
    assert 0.2 <= time.monotonic() - began < 2


def test_shorter_limit_beside_a_longer_one_is_kept() -> None:
    dog, long, short = Watchdog(), threading.Event(), threading.Event()
    with dog.limit(30, long.set), dog.limit(0.2, short.set):
        assert short.wait(5)
        assert not long.is_set()
    with dog.limit(0.2, long.set):
        assert long.wait(5)


def test_stronger_end_follows_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.2)
    dog, over, ended = Watchdog(), threading.Event(), list[str]()

    def hang() -> None:
        ended.append("first")
        over.wait(5)

    with dog.limit(0.1, hang, over.set):
        assert over.wait(5)
    assert ended == ["first"]


def test_what_is_over_in_time_is_not_ended() -> None:
    dog, ended = Watchdog(), threading.Event()
    for _ in range(1000):
        with dog.limit(0.2, ended.set):
            pass
    assert not ended.wait(0.5)
    assert dog._watches == []
