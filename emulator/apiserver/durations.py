# SPDX-License-Identifier: Apache-2.0
"""Durations as kubectl's tables print them."""

from __future__ import annotations

from emulator.kube.timestamps import now, parse_timestamp

YEAR = 365 * 86400


# (below this many of the unit, unit's seconds, its letter, next smaller unit's seconds and letter or none)
_STEPS = (
    (120, 1, "s", 0, ""),
    (10 * 60, 60, "m", 1, "s"),
    (180 * 60, 60, "m", 0, ""),
    (8 * 3600, 3600, "h", 60, "m"),
    (48 * 3600, 3600, "h", 0, ""),
    (8 * 86400, 86400, "d", 3600, "h"),
    (2 * YEAR, 86400, "d", 0, ""),
    (8 * YEAR, YEAR, "y", 86400, "d"),
)


def short_duration(seconds: float) -> str:
    """``0s``, ``119s``, ``2m5s``, ``15m``, ``3h10m``, ``9h``, ``2d4h``, ``9d``, ``2y10d``."""
    whole = int(seconds)
    if whole < 0:
        return "0s" if whole >= -1 else "<invalid>"
    for limit, unit, letter, small, small_letter in _STEPS:
        if whole < limit:
            count, rest = divmod(whole, unit)
            extra = rest // small if small else 0
            return f"{count}{letter}" + (f"{extra}{small_letter}" if extra else "")
    return f"{whole // YEAR}y"


def age(text: str | None) -> str:
    """How long ago a timestamp was; ``<unknown>`` when there is none."""
    if not text:
        return "<unknown>"
    return short_duration((now() - parse_timestamp(text)).total_seconds())
