# SPDX-License-Identifier: Apache-2.0
"""Whether a change made something worse: ratios are compared, never times."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.figures import Ratio, number

ALLOWED = 1.5


def worse(now: Sequence[Ratio], before: Sequence[Ratio], allowed: float = ALLOWED) -> list[str]:
    """A line for each ratio that is worse than before by more than ``allowed`` times; new ones have none."""
    known = {one.name: one for one in before}
    lines = []
    for one in now:
        old = known.get(one.name)
        if old is None or old.value <= 0 or one.value <= 0:
            continue
        change = one.value / old.value if one.better == "lower" else old.value / one.value
        if change > allowed:
            lines.append(f"{one.name}: {number(one.value)}, published is {number(old.value)}; {change:.1f} times worse")
    return lines
