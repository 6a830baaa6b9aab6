# SPDX-License-Identifier: Apache-2.0
"""States of objects as differences to the state before, which makes a history small. Decoded JSON."""

from __future__ import annotations

from typing import Any

GONE = {"$gone": 1}
"""Stands for a field that is no longer there."""


def difference(before: Any, now: Any) -> Any:
    """What makes ``now`` of ``before``; both are objects."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return now
    changed = {
        key: difference(before[key], value) if key in before else value
        for key, value in now.items()
        if key not in before or (before[key] is not value and before[key] != value)
    }
    return changed | {key: GONE for key in before if key not in now}


def applied(before: Any, change: Any) -> Any:
    """The state that `difference` was made of."""
    if not isinstance(before, dict) or not isinstance(change, dict):
        return change
    result = {key: value for key, value in before.items() if change.get(key) != GONE}
    for key, value in change.items():
        if value != GONE:
            result[key] = applied(before[key], value) if key in before else value
    return result
