# SPDX-License-Identifier: Apache-2.0
"""Keywords on everything that a network change must leave as it was."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from KubeVirtLibrary.log import folded
from KubeVirtLibrary.types import VmName
from livenad.api.history import History
from livenad.changes import NetworkChange
from livenad.errors import LabError, ProductFault
from livenad.foreign_migrations import fault_from_before
from livenad.invariants.record import edits_since, migration_seconds
from robot.api.deco import keyword

if TYPE_CHECKING:
    from livenad.invariants.comparison import Comparison
    from livenad.invariants.guest_state import GuestState

from GuestLibrary.guest_component import GuestComponent


class InvariantKeywords(GuestComponent):
    """What must be as before, and what must not come after."""

    @keyword(name="Nothing Else Should Have Changed", tags=["invariants", "core"])
    def nothing_else_should_have_changed(
        self, vm: VmName, *, within: timedelta = timedelta(seconds=10), duration: timedelta = timedelta()
    ) -> None:
        """Fails if anything of a VM differs from `Record Guest` that a network change must leave as it was.

        *On the API*, every state since the record is compared field by field: spec and status of the VM and its VMI,
        the launcher pod before the change and the one after it, the migrations, and warnings about them. Other launcher
        pods must have ended.

        *In the guest*: every interface with all that the kernel tells of it, addresses, routes and rules with their
        metrics, the kernel's settings of each interface, name servers, boot id and machine id, the uptime against the
        time that has passed, and a process that `Record Guest` started.

        What may differ is a list of single fields, each with its reason and the recording of a real cluster that shows
        it; the log has the table. Fields that are new and concern no NIC, network, node or condition are reported, not
        judged.

        With ``duration`` nothing more may happen either in a window that begins when the last network change is first
        complete: no further migration or launcher pod, no edit of the specs of VM and VMI, no change of node or phase,
        and no condition that comes, goes or changes. The keyword waits for the rest of that window, and compares all
        values at its end. A change that is not complete fails at once.

        Args:
        | ``vm`` | a VM that was recorded and then changed by `Change VM Network`, and migrated at most. |
        | ``within`` | longest wait until values that come back after a migration are as before. |
        | ``duration`` | length of the window in which nothing more may happen; 0 s for none. |

        Example:
        | Nothing Else Should Have Changed    web
        | Nothing Else Should Have Changed    web    duration=5 s
        """
        # They are slow to import.
        from livenad.invariants.comparison import judge_unchanged  # noqa: PLC0415
        from livenad.invariants.judge_api import compare_api  # noqa: PLC0415
        from livenad.invariants.judge_guest_state import compare_guest  # noqa: PLC0415
        from livenad.invariants.read_guest import read_settled_state  # noqa: PLC0415

        suite, record = self.suite, self.vm(vm)
        if duration:
            self._nothing_more_happened(record.name, duration.total_seconds())
        before, name, history = suite.records[record.name], record.name, self.history
        edits = edits_since(suite.changes, name, before.index)
        suite.recorder.catch_up(unless_fresh=True)

        def api(known: History = history) -> Comparison:
            return compare_api(known, name, before.index, before.at, edits)

        def judge(compared: Comparison) -> None:
            try:
                judge_unchanged(compared, record.subject)
            except ProductFault as fault:
                since = edits[0] if edits else self.judged_since(name)
                raise fault_from_before(history, since, fault, lambda known: api(known).findings) from None

        found = api()
        if found.findings:
            suite.recorder.wait_for(
                lambda _: not api().findings,
                within.total_seconds(),
                f"{record.subject}: as before",
                lambda: f"{len(found.findings)} values are not",
                vms={name},
            )
            found = api()
        stopped = migration_seconds(history, name, before.index)

        def guest(state: GuestState) -> Comparison:
            return compare_guest(
                f"{record.namespace}/{name}", before.guest, state, time.monotonic() - before.at, stopped
            )

        try:
            now = read_settled_state(
                self.guests.shell(name), before.process, lambda seen: not guest(seen).findings, within.total_seconds()
            )
        except LabError:
            # What the API shows is judged all the same; a guest that gives no shell may be its consequence.
            judge(found)
            raise
        total = found.with_all_of(guest(now))
        missing = f"; not observed, for lack of {', '.join(now.missing)}: addresses and routes" if now.missing else ""
        folded(f"{record.subject}: {total.line()}{missing}", "what differs", "\n".join(total.table()))
        judge(total)

    def _nothing_more_happened(self, vm: str, seconds: float) -> None:
        """Wait for the rest of the window that began as the VM's last network change was complete, and judge it."""
        from livenad.invariants.judge_quiet import completed_first, happened, judge_quiet  # noqa: PLC0415

        suite, history = self.suite, self.history
        change = suite.changes.network_change(vm)
        done = completed_first(history, change)
        if done is None:
            suite.recorder.catch_up()
            done = completed_first(history, change)
        if done is None:
            self.verdict(_completed, change)
            return
        suite.recorder.wait_for(
            lambda _: happened(history, change, done),
            done + seconds - time.monotonic(),
            f"{change.title}: nothing more happens",
            lambda: "nothing did",
            vms={vm},
        )
        self.judge(judge_quiet, change, done, seconds)


def _completed(history: History, change: NetworkChange) -> str:
    from livenad.invariants.judge_quiet import judge_completed  # noqa: PLC0415 - slow to import

    judge_completed(history, change)
    return f"{change.title}: complete"
