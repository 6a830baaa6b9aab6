# SPDX-License-Identifier: Apache-2.0
"""Whole recordings of the real control plane, in ``data/flows/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from livenad.api.kinds import Object
from livenad.rejudge import flows
from livenad.rejudge.flows import Replayed, State

__all__ = ["Object", "State", "replay", "states_of", "table"]

DATA = Path(__file__).parents[1] / "data" / "flows"


def table() -> dict[str, dict[str, Any]]:
    """The flows by name: ``edits``, ``red``, ``until``."""
    return flows.table(DATA)


def states_of(name: str) -> list[State]:
    """Every state of a flow, oldest first; the objects are the caller's own."""
    return flows.states_of(DATA, name)


def replay(name: str, alter: Callable[[list[State]], list[State]] = list) -> Replayed:
    """A history of a flow, with the edits of its VM recorded when they were made."""
    return flows.replay(DATA, name, alter)
