"""What was done to a VM besides an edit: the moment of it, and what the VM was just before."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

from livenad.api.history import History
from livenad.api.kinds import VMI, Object, meta
from livenad.api.status import migrations_of, node_of
from livenad.context import Run
from livenad.errors import BadInput


@dataclass(frozen=True)
class Act:
    """One act, such as a restart. ``index`` is the history's length, ``at`` the monotonic clock, before it.

    ``vmi_uid`` and ``node`` are "" when the VM was stopped; ``migrations`` are the UIDs that there were.
    """

    what: str
    vm: str
    namespace: str
    index: int
    at: float
    vmi_uid: str
    node: str
    migrations: frozenset[str]

    @property
    def title(self) -> str:
        return f"VM {self.namespace}/{self.vm}"


class Acts:
    """The last act on each VM of a run."""

    _known: ClassVar[WeakKeyDictionary[Run, Acts]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Act] = {}

    @classmethod
    def of(cls, run: Run) -> Acts:
        """The acts of a run."""
        return cls._known.setdefault(run, cls())

    def begin(self, what: str, history: History, vm: str, namespace: str) -> Act:
        """Remember what there is now; to be called just before the request is sent."""
        vmi = history.current(VMI, vm) or {}
        known = frozenset(migrations_of(history, vm))
        act = Act(what, vm, namespace, len(history), time.monotonic(), meta(vmi, "uid"), node_of(vmi), known)
        self._last[namespace, vm] = act
        return act

    def last(self, vm: str, namespace: str) -> Act:
        """The last act on a VM. BadInput when there was none."""
        if (namespace, vm) not in self._last:
            raise BadInput(
                f"nothing was done to VM {namespace}/{vm} yet; call `Restart VM`, `Migrate VM` or their like"
            )
        return self._last[namespace, vm]


def migrations_after(history: History, act: Act) -> list[Object]:
    """The migration objects that came after an act, oldest first, each in its last state."""
    found = migrations_of(history, act.vm, act.index)
    return [item for uid, item in found.items() if uid not in act.migrations]
