# SPDX-License-Identifier: Apache-2.0
"""How late a NAD is noticed where virt-controller itself reads NADs (1.8): nothing tells it of a new one."""

from __future__ import annotations

import asyncio

from emulator.controlplane import names

from .lab import Lab, nad, running_lab
from .virtualtime import run_virtually


async def noticed_after(missing: float) -> float:
    """Seconds of the real control plane between a NAD that was missing for so long and the target pod."""
    async with running_lab("1.8-gate") as lab:
        await lab.running_vm()
        await lab.swap("nad-late")
        await lab.until("a migration waits", lambda: bool(lab.migrations()))
        await lab.quiet(missing)
        pace = lab.plane.shared.pace
        loop = asyncio.get_running_loop()
        began = loop.time()
        await lab.client.create(names.NAD, nad("nad-late"))
        await _target(lab)
        return (loop.time() - began) * pace.speed


async def _target(lab: Lab) -> None:
    await lab.until("there is a target pod", lambda: len(lab.all_of("Pod")) == 2, within=600)


def test_late_nad_is_noticed_at_the_next_attempt_of_a_doubling_wait() -> None:
    """5 ms * 2^n: attempts 41 and 82 s after the first one, with nothing between them."""
    assert 25 < run_virtually(noticed_after(45.0)) < 40
    assert run_virtually(noticed_after(0.5)) < 2
