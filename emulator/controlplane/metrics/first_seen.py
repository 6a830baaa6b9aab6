# SPDX-License-Identifier: Apache-2.0
"""For defects of metrics: the networks that an object's NICs had when they were first counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Labels = dict[str, str]


class FirstSeen:
    """Remembers, for as long as the process lives, the first label sets of each object by NIC."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, Labels]] = {}

    def of(self, obj: dict[str, Any], now: list[Labels]) -> dict[str, Labels]:
        """The object's first label sets; the given ones if it was not asked for before."""
        return self._first.setdefault(obj["metadata"]["uid"], {labels["vnic_name"]: labels for labels in now})

    def edited(self, obj: dict[str, Any], now: list[Labels]) -> set[str]:
        """The NICs whose network has changed since."""
        first = self.of(obj, now)
        return {
            labels["vnic_name"]
            for labels in now
            if labels["network"] != first.get(labels["vnic_name"], labels)["network"]
        }


def as_at_first(of: str) -> Callable[..., list[Labels]]:
    """A defect's change at ``metrics.vnics``: the named metric keeps the first values of each object."""
    first_seen = FirstSeen()

    def change(shown: list[Labels], *, metric: str, obj: dict[str, Any], **_: Any) -> list[Labels]:
        if metric != of:
            return shown
        first = first_seen.of(obj, shown)
        return [first.get(labels["vnic_name"], labels) for labels in shown]

    return change
