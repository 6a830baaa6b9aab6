# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from typing import Any

from ..fault_points import Defect

STEPS = (0, 1, 60, 1600, 2400, 2900, 3300)
"""Bytes until the silence: not opened; opened; within banner, key exchange, login, channel and output of SSH."""

_streams: Counter[tuple[str, str]] = Counter()
_silent: Counter[str] = Counter()


def _silence(answers: int | None, *, kind: str, vmi: str, **_: Any) -> int | None:
    """Every other stream of each kind to a guest is whole."""
    _streams[kind, vmi] += 1
    if _streams[kind, vmi] % 2 == 0:
        return answers
    _silent[kind] += 1
    return STEPS[(_silent[kind] - 1) % len(STEPS)]


DEFECT = Defect(
    name="streams-fall-silent",
    sentence="Every other stream to a guest falls silent for good, each at another of its steps, and stays open.",
    rows=(),
    point="virt_api.stream",
    change=_silence,
    fault="lab",
)
