"""Durations as kubectl's tables print them."""

from __future__ import annotations

from datetime import UTC, datetime

from .objects import parse_timestamp

YEAR_DAYS = 365


def short_duration(seconds: float) -> str:
    """``0s``, ``119s``, ``2m5s``, ``15m``, ``3h10m``, ``9h``, ``2d4h``, ``9d``, ``2y10d``."""
    whole = int(seconds)
    if whole < 0:
        return "0s" if whole >= -1 else "<invalid>"
    if whole < 120:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours, rest = divmod(minutes, 60)
    if hours < 8:
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days, rest = divmod(hours, 24)
    if days < 8:
        return f"{days}d{rest}h" if rest else f"{days}d"
    if days < 2 * YEAR_DAYS:
        return f"{days}d"
    years, rest = divmod(days, YEAR_DAYS)
    if years < 8:
        return f"{years}y{rest}d" if rest else f"{years}y"
    return f"{years}y"


def age(text: str | None) -> str:
    """How long ago a timestamp was; ``<unknown>`` when there is none."""
    if not text:
        return "<unknown>"
    return short_duration((datetime.now(UTC) - parse_timestamp(text)).total_seconds())
