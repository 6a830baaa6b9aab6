# SPDX-License-Identifier: Apache-2.0
"""The time on which a guest keyword judges, and migrations of others in it: what they cut off is no fault."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from livenad.context import Session, SuiteContext
from livenad.errors import ProductFault, TestError
from livenad.foreign_migrations import meanwhile, undecided

_TOPICS = ("reachability", "packet loss", "outage")
"""What a migration of one of the guests may disturb. Boots, and what a NIC is, it may not. Invariants judge for
themselves what had changed before it."""


@dataclass(frozen=True)
class Window:
    """The VMs that a keyword names, and since when (monotonic clock) it judges them."""

    suite: SuiteContext | None
    vms: tuple[str, ...]
    began: float

    @classmethod
    def of(cls, session: Session, topic: str, arguments: Sequence[object]) -> Window:
        """That of a keyword that is about to run; without VMs where a migration does not matter to it."""
        suite = session.run.suite if session.run is not None and topic in _TOPICS else None
        if suite is None:
            return cls(None, (), 0.0)
        vms = tuple(name for argument in arguments if (name := _vm(suite, argument)))
        return cls(suite, vms, min([time.monotonic(), *_begins(suite, topic, vms)]))

    def blame(self, fault: ProductFault) -> Exception:
        """The fault, or the LAB ERROR in its place when a migration of others was under way."""
        if self.suite is None:
            return fault
        self.suite.recorder.catch_up()
        foreign = meanwhile(self.suite.recorder.history, self.vms, self.began)
        return undecided(fault, foreign, self.began, "the check began") if foreign else fault


def _vm(suite: SuiteContext, argument: object) -> str:
    """The name on the cluster of a VM that an argument names, "" for another argument."""
    try:
        return suite.vms[argument].name if isinstance(argument, str) else ""
    except TestError:
        return ""


def _begins(suite: SuiteContext, topic: str, vms: Sequence[str]) -> list[float]:
    """When what was opened earlier for these VMs began."""
    if topic == "outage":
        return [suite.outages[vm].window.began for vm in vms if vm in suite.outages]
    watches = suite.measurements
    return [
        *(watch.window.began for between, watch in watches.watches.items() if between.vm in vms),
        *(watch.window.began for between, watch in watches.pair_watches.items() if between.vm in vms),
        *(watch.window.began for between, watch in watches.streams.items() if between.vm in vms),
    ]
