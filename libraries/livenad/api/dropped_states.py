# SPDX-License-Identifier: Apache-2.0
"""The bound of a history's memory: which states go past it, and what can no longer be judged then."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from livenad.api.kinds import EVENT, Kind
from livenad.errors import LabError


class State(Protocol):
    """What is read of a record."""

    @property
    def index(self) -> int: ...
    @property
    def wall(self) -> float: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def vm(self) -> str: ...


S = TypeVar("S", bound=State)


class DroppedStates:
    """Remembers what was dropped of a history of at most ``limit`` states."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count: Counter[str] = Counter()
        self._last_wall = 0.0
        self._last: dict[tuple[str, str, str], int] = {}

    def is_over(self, kept: int) -> bool:
        """Whether some have to go."""
        return kept > self._limit

    def choose(self, records: Sequence[S], may_go: Callable[[S], bool]) -> dict[int, S]:
        """A tenth of the limit, by ``id``: events first, which no verdict needs, then the oldest states."""
        candidates = [record for record in records if may_go(record)]
        candidates.sort(key=lambda record: record.kind != EVENT.name)
        chosen = candidates[: max(1, self._limit // 10)]
        for record in chosen:
            self._count[record.kind] += 1
            self._last_wall = max(self._last_wall, record.wall)
            for scope in (("name", record.name), ("vm", record.vm), ("", "")):
                self._last[record.kind, *scope] = max(record.index, self._last.get((record.kind, *scope), 0))
        return {id(record): record for record in chosen}

    def require_kept(self, kind: Kind, name: str | None, vm: str | None, since: int) -> None:
        """LabError when a state of this kind, and of this object or VM, was dropped that came at ``since`` or later."""
        scope = ("name", name) if name is not None else ("vm", vm) if vm is not None else ("", "")
        if self._last.get((kind.name, *scope), -1) >= since:
            raise LabError(
                f"states of {kind.title(None, name or vm)} that this verdict needs are no longer kept: {self.told()}; "
                "judge sooner after the change, or in a suite with fewer VMs"
            )

    def told(self) -> str:
        """``20,000 of the oldest states were dropped (Pod 12,000, ...), the last of 12:03:11 UTC; ...``."""
        if not self._count:
            return ""
        each = ", ".join(f"{kind} {count:,}" for kind, count in self._count.most_common())
        until = time.strftime("%H:%M:%S", time.gmtime(self._last_wall))
        return (
            f"{self._count.total():,} of the oldest states were dropped ({each}), the last of {until} UTC; at most "
            f"{self._limit:,} are kept"
        )
