# SPDX-License-Identifier: Apache-2.0
"""Tests of the control plane run in a clock that jumps to the next timer, but for those marked ``real_clock``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from emulator.kube import timestamps
from emulator.pace import clock

from .virtualtime import VirtualLoop

EPOCH = 1_780_000_000


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_clock"):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def wall_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timestamps of objects follow the virtual clock, too."""
    if not request.node.get_closest_marker("real_clock"):
        monkeypatch.setattr(timestamps, "wall_clock", lambda: EPOCH + clock())
