# SPDX-License-Identifier: Apache-2.0
"""Keywords on everything that a network change must leave as it was."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from KubeVirtLibrary.log import folded
from KubeVirtLibrary.types import VmName
from livenad.changes import NetworkChange
from livenad.errors import LabError
from livenad.invariants.record import Recorded, edits_since, migration_seconds
from livenad.model import VmRecord
from robot.api.deco import keyword

if TYPE_CHECKING:
    from livenad.invariants.guest_state import GuestState
    from livenad.invariants.judge_connections import Around

from GuestLibrary.guest_component import GuestComponent

Where = Literal["everywhere", "guest"]


class InvariantKeywords(GuestComponent):
    """What must be as before, and what must not come after."""

    @keyword(name="Nothing Else Should Have Changed", tags=["invariants", "core"])
    def nothing_else_should_have_changed(
        self,
        vm: VmName,
        *,
        within: timedelta = timedelta(seconds=10),
        duration: timedelta = timedelta(),
        where: Where = "everywhere",
    ) -> None:
        """Fails if a VM or its guest differs from `Record Guest` in anything that a network change must not change.

        Compared are, value by value:

        - in the API: spec and status of the VM and the VMI in every state since `Record Guest`, the launcher pod before
          the change with the one after it, the migrations, and Warning events about them. Every launcher pod but the
          last one must have ended;
        - in the guest: all that the kernel shows of each interface, addresses, routes and routing rules, name servers,
          boot id, machine id, the uptime, and that the process of `Record Guest` still runs;
        - the TCP connections of `Record Guest`: those through a NIC that was not moved must still carry data. The log
          shows the longest pause in the data of each;
        - the neighbour tables (ARP) of the other guests. An entry for one of the VM's addresses must have the MAC of
          that NIC, and an entry with one of these MACs must have an address of the VM, or a link-local one. There
          need not be an entry.

        A network change may change some of them, such as ``networkName`` and the node. The log lists these, each with
        the reason. It also lists those that changed and are not judged:

        - fields that the objects did not have at `Record Guest`, unless they concern a NIC, network, node or condition;
        - labels and annotations that do not belong to KubeVirt or Multus;
        - in the launcher pod, containers and volumes that KubeVirt makes of the VM's disks.

        With ``duration`` the keyword also fails if something more happens to the VM within this time after the last
        network change was complete: a migration, a new launcher pod, an edit of a spec, or a change of node, phase or a
        condition. The keyword waits for the rest of this time, and compares all values at its end. If the network
        change is not complete, the keyword fails without waiting.

        Some changes leave more traces in the API, such as a failed migration or a required restart. For these
        ``where=guest`` compares all but the API.

        Args:
        | ``vm`` | a recorded VM; since then only `Change VM Network` and migrations were done to it. |
        | ``within`` | longest wait for values that a migration takes away for a time, as addresses in the VMI. |
        | ``duration`` | for how long after the change nothing more may happen; ``0 s``: not checked. |
        | ``where`` | ``everywhere``, or ``guest``: in the guest, its connections and the neighbour tables. |

        Example:
        | Nothing Else Should Have Changed    web
        | Nothing Else Should Have Changed    web    duration=5 s
        | Nothing Else Should Have Changed    web    where=guest
        """
        # They are slow to import.
        from livenad.invariants.judge_everything import Act, Reading, judge_everything  # noqa: PLC0415
        from livenad.invariants.read_guest import read_settled_state  # noqa: PLC0415

        suite, record = self.suite, self.vm(vm)
        if duration:
            self._nothing_more_happened(record.name, duration.total_seconds())
        before, name, history = suite.records[record.name], record.name, self.history
        edits = edits_since(suite.changes, name, before.index)
        suite.recorder.catch_up(unless_fresh=True)

        since = edits[0] if edits else self.judged_since(name)
        in_api = where == "everywhere"
        act = Act(name, before.index, before.at, edits, since, quiet=duration.total_seconds(), in_api=in_api)

        def judge(reading: Reading | None, around: Around | None) -> None:
            suite.verdicts.of_history(judge_everything, act, reading, around)

        found = act.compare(history)
        if found.findings:
            suite.recorder.wait_for(
                lambda _: not act.compare(history).findings,
                within.total_seconds(),
                f"{record.subject}: as before",
                lambda: f"{len(found.findings)} values are not",
                vms={name},
            )
            found = act.compare(history)
        stopped = migration_seconds(history, name, before.index)

        def guest(state: GuestState) -> Reading:
            elapsed = time.monotonic() - before.at
            return Reading(f"{record.namespace}/{name}", before.guest, state, elapsed, stopped)

        try:
            now = read_settled_state(
                self.guests.shell(name),
                before.process,
                lambda seen: not guest(seen).compare().findings,
                within.total_seconds(),
            )
        except LabError:
            # What the API shows is judged all the same; a guest that gives no shell may be its consequence.
            if in_api:
                judge(None, None)
            raise
        reading, around = guest(now), self._around(record, before, edits, within)
        total = found.with_all_of(reading.compare()).with_all_of(around.compare())
        missing = f"; not observed, for lack of {', '.join(now.missing)}: addresses and routes" if now.missing else ""
        suite.unobserved += [missing.removeprefix("; not observed, ")] if missing else []
        suite.unobserved += [f"connections: {before.held.lacks}"] if " has no " in before.held.lacks else []
        folded(f"{record.subject}: {total.line()}{missing}", "values that differ", "\n".join(total.table()))
        judge(reading, around)

    def _around(self, record: VmRecord, before: Recorded, edits: Sequence[NetworkChange], within: timedelta) -> Around:
        """The connections that the record opened, and the MACs that the peers know. LabError from a guest."""
        from livenad.invariants.judge_connections import Around, described  # noqa: PLC0415
        from livenad.invariants.open_connections import read_neighbours, states_after  # noqa: PLC0415

        held, moved = before.held, sorted({edit.nic for edit in edits})
        states = states_after(self.guests, record.name, held, moved, within.total_seconds())
        now = read_neighbours(self.guests, list(held.known))
        lines = described(held.connections, states, moved)
        lines += [f"not observed: connections: {held.lacks or 'none was opened'}"] if held.lacks or not lines else []
        lines += [
            f"not observed: the MACs that {peer} knows, as it gave no shell" for peer in held.known if peer not in now
        ]
        folded(f"{record.subject}: {lines[0]}", "TCP connections that Record Guest opened", "\n".join(lines))
        return Around(
            guest=f"{record.namespace}/{record.name}",
            connections=held.connections,
            states=states,
            moved=moved,
            peers={f"{record.namespace}/{peer}": (held.known[peer], now[peer]) for peer in now},
            macs={str(address.ip): nic.mac.lower() for nic in record.nics for address in nic.addresses},
        )

    def _nothing_more_happened(self, vm: str, seconds: float) -> None:
        """Wait for the rest of the window that began as the VM's last network change was complete, and judge it."""
        from livenad.invariants.judge_quiet import completed_first, happened, judge_completed, judge_quiet  # noqa: PLC0415

        suite, history = self.suite, self.history
        change = suite.changes.network_change(vm)
        done = completed_first(history, change)
        if done is None:
            suite.recorder.catch_up()
            done = completed_first(history, change)
        if done is None:
            self.verdict(judge_completed, change)
            return
        suite.recorder.wait_for(
            lambda _: happened(history, change, done),
            done + seconds - time.monotonic(),
            f"{change.title}: nothing more happens",
            lambda: "nothing did",
            vms={vm},
        )
        self.judge(judge_quiet, change, done, seconds)
