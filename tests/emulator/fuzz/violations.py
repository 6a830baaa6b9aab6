# SPDX-License-Identifier: Apache-2.0
"""What the fuzzer reports."""

from __future__ import annotations


class Violation(Exception):
    """An invariant that does not hold: which one, and what was seen."""

    def __init__(self, invariant: str, seen: str) -> None:
        super().__init__(f"{invariant}: {seen}")
        self.invariant = invariant
