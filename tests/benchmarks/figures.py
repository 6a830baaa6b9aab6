# SPDX-License-Identifier: Apache-2.0
"""Figures: what was measured, in which unit, and how it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing that was measured ``len(values)`` times, in ``unit``. ``section`` is a letter of `SECTIONS`."""

    section: str
    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def percentile(self, share: float) -> float:
        """The smallest value that this share of all values does not exceed."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Ratio:
    """``of`` divided by ``to``, both medians in the same run on the same machine: what another machine can repeat.

    ``better`` says in which direction it improves: "lower" or "higher".
    """

    name: str
    value: float
    better: str

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


SECTIONS = {
    "a": "Overhead of the harness",
    "b": "Waits",
    "c": "Commands in guests",
    "d": "Verdicts on networks",
    "e": "What a swap costs",
    "f": "Many VMs",
    "g": "Start",
    "h": "Many VMs and nodes without a cluster",
    "i": "Hundreds of VMs",
}


def figure(section: str, name: str, unit: str, values: Iterable[float]) -> Figure:
    """A figure of these values; ValueError where there is none."""
    found = tuple(values)
    if not found:
        raise ValueError(f"nothing was measured of: {name}")
    return Figure(section, name, unit, found)


def ratio(name: str, of: Figure, to: Figure, *, better: str) -> Ratio:
    """The ratio of two medians."""
    return Ratio(name, of.median / to.median, better)


def number(value: float) -> str:
    """Three significant digits, as people write them."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Name, median, lowest, 99th percentile, highest, unit, count; as text."""
    return [
        (
            one.name,
            number(one.median),
            number(min(one.values)),
            number(one.percentile(0.99)),
            number(max(one.values)),
            one.unit,
            str(len(one.values)),
        )
        for one in figures
    ]


HEAD = ("figure", "median", "lowest", "p99", "highest", "unit", "n")
