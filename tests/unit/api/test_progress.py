# SPDX-License-Identifier: Apache-2.0
"""A long wait shows progress messages, a short one none."""

from __future__ import annotations

import re
import threading

import pytest
from GuestLibrary import _awaited
from livenad.api.progress import ticking


def test_a_long_wait_says_what_is_awaited_the_last_state_and_the_time_left() -> None:
    lines: list[str] = []
    second = threading.Event()

    def hear(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            second.set()

    with ticking(hear, "removal of demo", 60, lambda: "demo is Terminating", every=0.02):
        assert second.wait(10)
    assert re.fullmatch(
        r"demo is Terminating; waiting for removal of demo, 0\.\d s gone, (1 min 0 s|60 s) left", lines[0]
    )


def test_a_short_wait_and_a_failing_one_say_nothing() -> None:
    lines: list[str] = []
    with pytest.raises(OSError, match="broken"), ticking(lines.append, "x", every=30):
        raise OSError("broken")
    assert lines == []
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_a_keyword_is_named_as_in_the_suite() -> None:
    assert _awaited("Guests Should Reach Each Other", ["web", "peer"]) == "Guests Should Reach Each Other web peer"
    assert _awaited("Run In Guest", ["web", "x" * 300]).endswith("…")
