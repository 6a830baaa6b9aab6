# SPDX-License-Identifier: Apache-2.0
"""Outage monitoring: the VM and two peers probe each other during a swap until the new network answers.

The probes run inside the guests and store their results there, so that nothing is lost when a connection to a guest
breaks at the switch-over. Only ICMP is used, as it is cheap enough to be sent for minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.guest.shells import bare
from livenad.outage.judge_outage import Direction
from livenad.reachability.judge_reachability import ANSWERS_NEEDED
from livenad.reachability.measurements import Measurements
from livenad.reachability.paths import Path, path_between, witness_path
from livenad.reachability.probes import Probe, ProbeRun, sample_until_reached
from livenad.reachability.samples import Series, missing_answers
from livenad.reachability.windows import Window

MARGIN = 60.0
"""Seconds that the monitoring lasts beyond the deadlines of swap and reachability, if it is not stopped."""


@dataclass
class OutageMonitor:
    """One monitoring: for each IP version the paths from the VM to both peers, and two between the peers.

    ``witness`` leads to the old peer and ``other`` to the new one, each on that peer's network.
    """

    vm: str
    versions: tuple[int, ...]
    to_old: dict[int, Path]
    to_new: dict[int, Path]
    witness: Path
    other: Path
    window: Window
    run: ProbeRun | None = None

    def directions(self) -> list[Direction]:
        """The directions measured, out before in. LabError while the monitoring has not ended."""
        found = []
        for version in self.versions:
            old, new = self.to_old[version], self.to_new[version]
            found.append(Direction("out", version, self.series(old), self.series(new)))
            found.append(Direction("in", version, self.series(old.reverse()), self.series(new.reverse())))
        return found

    def series(self, path: Path) -> Series:
        """The series of one path. LabError while the monitoring has not ended, or when a guest did not return it."""
        if self.run is None:
            raise LabError(f"outage monitoring of {self.vm} is still running; call `Stop Outage Monitoring` first")
        if self.run.failures:
            why = "; ".join(bare(error) for error in self.run.failures.values())
            raise LabError(f"the results of outage monitoring of {self.vm} are lost: {why}")
        return self.run.series[Probe(path, "ICMP")]


def start_monitoring(
    guests: Guests, vm: str, *, nic: str, old: str, new: str, versions: Sequence[int], longest: float
) -> OutageMonitor:
    """Start to monitor a NIC that moves from ``old``'s network to ``new``'s, for at most ``longest`` seconds.

    BadInput when the guests share no subnet. A guest without a shell is reported when the series are read.
    """
    record, old_record, new_record = (guests.record(name) for name in (vm, old, new))
    tested = record.nic(nic)
    to_old = {version: path_between(record, tested, old_record, version) for version in versions}
    to_new = {version: path_between(record, tested, new_record, version) for version in versions}
    first = versions[0]
    witness = witness_path(new_record, old_record, to_old[first].target_nic, tested, first)
    other = witness_path(old_record, new_record, to_new[first].target_nic, tested, first)
    ways = [way for path in (*to_old.values(), *to_new.values()) for way in (path, path.reverse())]
    probes = [Probe(path, "ICMP") for path in (*ways, witness, other)]
    window = Window({name: guests.shell(name) for name in (vm, old, new)}, probes, longest + MARGIN).start()
    return OutageMonitor(vm, tuple(versions), to_old, to_new, witness, other, window)


def stop_monitoring(measurements: Measurements, monitor: OutageMonitor, within: float) -> tuple[ProbeRun, list[Series]]:
    """Stop the monitoring once the new network answers both ways, after at most ``within`` seconds.

    The run, and the series of what did not answer by then.
    """
    ways = [way for path in monitor.to_new.values() for way in (path, path.reverse())]
    names = {path.source.name for path in ways}
    reached = sample_until_reached(
        {name: measurements.guests.shell(name) for name in names}, [Probe(path, "ICMP") for path in ways], within
    )
    measurements.keep(reached)
    monitor.window.stop()
    monitor.run = monitor.window.finish()
    measurements.keep(monitor.run)
    return monitor.run, missing_answers(list(reached.series.values()), ANSWERS_NEEDED)
