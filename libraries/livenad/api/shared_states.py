# SPDX-License-Identifier: Apache-2.0
"""Memory of recorded states: what a state has in common with an earlier one is kept once."""

from __future__ import annotations

from typing import Any


def share(state: Any, earlier: Any) -> Any:
    """``state`` with each part of it that equals the same part of ``earlier`` replaced by that one.

    Both are decoded JSON. The result equals ``state``; neither is changed, nor may a caller change them later.
    """
    if type(state) is not type(earlier):
        return state
    if state == earlier:
        return earlier
    if isinstance(state, dict):
        return {key: share(value, earlier[key]) if key in earlier else value for key, value in state.items()}
    if isinstance(state, list):
        shared = [share(value, before) for value, before in zip(state, earlier, strict=False)]
        return shared + state[len(earlier) :]
    return state
