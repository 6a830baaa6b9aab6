# SPDX-License-Identifier: Apache-2.0
"""Durations as text, and lines on waits."""

from __future__ import annotations

_LONGEST_CAUSE = 140


def human(seconds: float) -> str:
    """``0.3 s``, ``12 s``, ``5 min 0 s``, ``1 h 2 min``."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def wait_line(seen: str, awaited: str, gone: float, left: float | None) -> str:
    """One short line, what holds the wait up first: ``web is Scheduling; waiting for VMs, 10 s gone, 50 s left``."""
    cause = seen if len(seen) <= _LONGEST_CAUSE else seen[: _LONGEST_CAUSE - 1] + "…"
    rest = "" if left is None or left < 0 else f", {human(left)} left"
    return f"{f'{cause}; ' if cause else ''}waiting for {awaited}, {human(gone)} gone{rest}"
