# SPDX-License-Identifier: Apache-2.0
"""Keywords on how long a VM is cut off while its network changes, and on the time before it."""

from __future__ import annotations

import json
from datetime import timedelta

from KubeVirtLibrary.log import output_folder, probes, step, table
from KubeVirtLibrary.types import NicName, VmName
from livenad.changes import UnmetWait
from livenad.errors import BadInput, LabError, TestError
from livenad.migrations.judge_induced_failure import retry_left_queue
from livenad.outage.judge_outage import (
    Gap,
    Span,
    gap_name,
    gap_of,
    gap_text,
    judge_gaps,
    judge_old_network_kept,
)
from livenad.outage.probes_across import OutageMonitor, start_monitoring, stop_monitoring
from robot.api.deco import keyword
from robot.utils import timestr_to_secs

from GuestLibrary.guest_component import Family, GuestComponent


class OutageKeywords(GuestComponent):
    """The guests ask by themselves from before the edit on; what they saw is fetched in the end."""

    @keyword(name="Start Outage Monitoring", tags=["outage", "core"])
    def start_outage_monitoring(
        self, vm: VmName, *, nic: NicName, old_peer: VmName, new_peer: VmName, families: list[Family] | None = None
    ) -> None:
        """Makes the VM and two peers ping each other from now on, five times a second. Returns immediately.

        Args:
        | ``vm`` | a VM that runs; it has an address in a subnet with each peer. |
        | ``nic`` | the VM's NIC that will be moved. |
        | ``old_peer`` | the peer on the NIC's old network. |
        | ``new_peer`` | the peer on the NIC's new network. |
        | ``families`` | ``['ipv4']``, which is the default, or ``['ipv4', 'ipv6']``. |

        Example:
        | Start Outage Monitoring    web    nic=secondary    old_peer=old-peer    new_peer=new-peer
        """
        settings, name = self.run.settings, self.vm(vm).name
        old, new = self.vm(old_peer).name, self.vm(new_peer).name
        versions = [family.value for family in families or [Family.ipv4]]
        longest = settings.swap_timeout + settings.reach_timeout
        monitor = start_monitoring(self.guests, name, nic=nic, old=old, new=new, versions=versions, longest=longest)
        self.suite.outages[name] = monitor
        step(f'Outage monitoring of {name} through NIC "{nic}" started; old peer {old}, new peer {new}')

    @keyword(name="Stop Outage Monitoring", tags=["outage", "core"])
    def stop_outage_monitoring(self, vm: VmName, *, within: timedelta) -> None:
        """Waits until the VM and its new peer answer each other, stops the pings, and collects the results.

        Does not judge the result: `Outage Should Be Below` does. If they do not answer in time, the keyword passes (see
        `Close Test Namespace`).

        Args:
        | ``vm`` | a VM of `Start Outage Monitoring`. |
        | ``within`` | longest wait for the first answers on the new network, from now on. |

        Example:
        | Stop Outage Monitoring    web    within=1 min
        """
        monitor = self._monitor(vm)
        limit = within.total_seconds()
        run, missing = stop_monitoring(self.measurements, monitor, limit)
        if missing and self.suite.changes.has(monitor.vm):
            change = self.suite.changes.last(monitor.vm, "network")
            seen = "; ".join(one.describe(run.began) for one in missing)
            self.suite.changes.unmet.append(UnmetWait(change, "answers on the new network", limit, seen))
        probes(f"{monitor.vm} was monitored during its network change", run)

    @keyword(name="Outage Should Be Below", tags=["outage", "core"])
    def outage_should_be_below(self, vm: VmName, threshold: str = "") -> None:
        """Fails if the outage was longer than a threshold: the time from the last answer on the old network to the
        first answer on the new one.

        The log shows the outage for each direction and IP version; file ``gap-<namespace>-<vm>.json`` beside the log
        has the data. A ping is sent every 0.2 s, so the outage is not more precise than that. Direction "out" (the VM
        pings) is measured by the VM's own clock, which stops for a moment when the migration switches the VM over.

        Args:
        | ``vm`` | a VM of `Start Outage Monitoring`. |
        | ``threshold`` | longest outage that is accepted, such as ``2 s``; empty: the outage is only shown. |

        Example:
        | Outage Should Be Below    web    10 s
        """
        monitor, record = self._monitor(vm), self.vm(vm)
        title = f"VM {record.namespace}/{record.name}"
        limit = _seconds(threshold)
        gaps = _gaps(monitor, title)
        _show(gaps)
        _store(gaps, monitor, f"gap-{record.namespace}-{record.name}.json", limit)
        if limit is not None:
            self.suite.verdicts.of_samples(judge_gaps, title, gaps, limit)

    @keyword(name="Old Network Should Have Been Kept", tags=["outage", "scenario"])
    def old_network_should_have_been_kept(self, vm: VmName) -> None:
        """Fails unless the VM stayed on its old network from its failed migration to the next migration.

        In that time the VM and the old peer must have answered each other's pings. Since before the edit the VM and the
        new peer must not have done so. To show that both peers work, they must have answered each other.

        Args:
        | ``vm`` | a VM of `Start Outage Monitoring` and `Induce Migration Failure`. |

        Example:
        | Stop Outage Monitoring    db    within=1 min
        | Old Network Should Have Been Kept    db
        """
        monitor, record = self._monitor(vm), self.vm(vm)
        failure = self.suite.induced_failures.get(record.name)
        if failure is None:
            raise TestError(f"no migration of VM {record.name} was made to fail; call `Induce Migration Failure` first")
        retry = retry_left_queue(self.history, failure)
        start = failure.at
        directions = monitor.directions()
        witness, other = monitor.series(monitor.witness), monitor.series(monitor.other)
        last = max((sample.asked for one in directions for sample in one.old.samples), default=start)
        span = Span(start, last if retry is None else retry, retry is not None)
        subject, new_peer = f"VM {record.namespace}/{record.name}", monitor.to_new[monitor.versions[0]].target.name
        step(
            self.suite.verdicts.of_samples(
                judge_old_network_kept, subject, directions, (witness, other), span, new_peer
            )
        )

    def _monitor(self, vm: str) -> OutageMonitor:
        name = self.vm(vm).name
        if name not in self.suite.outages:
            raise TestError(f"VM {name} was not monitored; call `Start Outage Monitoring` before its change")
        return self.suite.outages[name]


def _gaps(monitor: OutageMonitor, title: str) -> list[Gap]:
    gaps = []
    for direction in monitor.directions():
        gap = gap_of(direction)
        if gap is None:
            raise LabError(
                f"{title}: the gap in connectivity cannot be measured: its old network never answered; "
                f"{direction.old.describe(monitor.window.began)}"
            )
        gaps.append(gap)
    return gaps


def _seconds(threshold: str) -> float | None:
    if not threshold.strip():
        return None
    try:
        seconds = float(timestr_to_secs(threshold))
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise BadInput(f'variable GAP_THRESHOLD is "{threshold}"; expected a time above 0, such as "2 s", or nothing')
    return seconds


def _show(gaps: list[Gap]) -> None:
    rows = []
    for gap in gaps:
        old, new = gap.direction.old, gap.direction.new
        peers = (old.target, new.target) if gap.direction.way == "out" else (old.source, new.source)
        rows.append((gap_name(gap), gap_text(gap), *peers))
    table(("ICMP", "gap", "from the last answer with", "to the first with"), rows)


def _store(gaps: list[Gap], monitor: OutageMonitor, name: str, limit: float | None) -> None:
    data = {"vm": monitor.vm, "threshold": limit, "gaps": [gap.as_data(monitor.window.began) for gap in gaps]}
    path = output_folder() / name
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    step(f"Stored as {path}")
