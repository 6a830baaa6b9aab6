# SPDX-License-Identifier: Apache-2.0
"""The order of an object's states: which is later, which is known, and where a late one belongs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class State(Protocol):
    """What is read of a record."""

    @property
    def index(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...


S = TypeVar("S", bound=State)


def newer(one: str, other: str) -> bool:
    """Whether resourceVersion ``one`` is later than ``other``; versions that are no numbers compare by difference."""
    if one.isdigit() and other.isdigit():
        return int(one) > int(other)
    return one != other


def precedes(version: str, record: State) -> bool:
    """Whether a resourceVersion is known to be earlier than that of a record."""
    return version.isdigit() and record.resource_version.isdigit() and newer(record.resource_version, version)


def is_known(own: Sequence[State], uid: str, version: str, *, deleted: bool) -> bool:
    """Whether one of an object's states is this one. Most often it is later than the last one, which is no search."""
    if not own or (own[-1].uid == uid and version.isdigit() and newer(version, own[-1].resource_version)):
        return False
    return any(
        record.uid == uid and record.resource_version == version and (record.type == "DELETED") == deleted
        for record in own
    )


def put_before(records: list[S], later: S | None, record: S) -> None:
    """Insert before ``later``; at the end if there is none."""
    place = len(records)
    if later is not None:
        while place and records[place - 1].index >= later.index:
            place -= 1
            if records[place] is later:
                break
    records.insert(place, record)
