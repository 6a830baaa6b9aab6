# SPDX-License-Identifier: Apache-2.0
"""Connectivity around a change as data: one track for each probe, and the gap if it can be measured.

Times are seconds after the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from livenad.api.status import qualified
from livenad.changes import NetworkChange
from livenad.model import Nic
from livenad.reachability.probes import Probe, ProbeRun
from livenad.reachability.samples import Sample
from livenad.report.timeline import Timeline

CLOSE_ENOUGH = 1.0
"""Seconds between two requests beyond which a gap between their answers says nothing."""


class Role(StrEnum):
    """The role of a target in the change."""

    OLD = "old network"
    NEW = "new network"
    CONTROL = "control"


@dataclass(frozen=True)
class Track:
    """Probes from one guest to another by one protocol. ``way``: "out" from the VM, "in" to the VM, else "past".

    ``nic`` is the NIC of the source.
    """

    role: Role
    way: str
    protocol: str
    version: int
    source: str
    target: str
    address: str
    nic: str = ""
    samples: tuple[Sample, ...] = ()

    @property
    def name(self) -> str:
        protocol = self.protocol + ("v6" if self.version == 6 else "")
        via = f" ({self.nic})" if self.role is Role.CONTROL and self.nic else ""
        return f"{protocol} {self.source}{via} → {self.target}"


@dataclass(frozen=True)
class Gap:
    """From the last request that the old network answered to the first one that the new network did.

    A network that still answers when the other one does already leaves none.
    """

    way: str
    version: int
    last: float
    first: float

    @property
    def seconds(self) -> float:
        return self.first - self.last


@dataclass(frozen=True)
class Connectivity:
    """All tracks of a change, those of the tested NIC first."""

    timeline: Timeline
    tracks: tuple[Track, ...]
    gaps: tuple[Gap, ...]

    @property
    def start(self) -> float:
        return min(track.samples[0].asked for track in self.tracks)

    @property
    def end(self) -> float:
        return max(track.samples[-1].asked for track in self.tracks)


def connectivity_of(change: NetworkChange, runs: Iterable[ProbeRun], timeline: Timeline) -> Connectivity | None:
    """What was measured around a change; None when nothing was from or to its VM."""
    samples: dict[Track, list[Sample]] = {}
    for run in runs:
        for probe, series in run.series.items():
            if probe.path.source.namespace == change.namespace:
                shifted = [Sample(s.asked - change.at, s.known - change.at, s.answered) for s in series.samples]
                samples.setdefault(_track(probe, change), []).extend(shifted)
    order = list(Role)
    tracks = tuple(
        replace(track, samples=tuple(sorted(found, key=lambda sample: sample.asked)))
        for track, found in sorted(
            samples.items(), key=lambda item: (order.index(item[0].role), item[0].way != "out", item[0].name)
        )
        if found
    )
    own = any(track.way != "past" for track in tracks)
    return Connectivity(timeline, tracks, tuple(_gaps(tracks))) if own else None


def as_data(chart: Connectivity, change: NetworkChange) -> dict[str, Any]:
    """For a file: times in seconds after the edit, samples as ``[asked, known, answered]``."""
    return {
        "vm": f"{change.namespace}/{change.vm}",
        "nic": change.nic,
        "old_network": change.old_network,
        "new_network": change.new_network,
        "complete": _rounded(chart.timeline.complete),
        "phases": [
            {"lane": lane.name, "state": span.label, "start": _rounded(span.start), "end": _rounded(span.end)}
            for lane in chart.timeline.lanes
            for span in lane.spans
        ],
        "gaps": [
            {
                "direction": gap.way,
                "family": f"IPv{gap.version}",
                "seconds": _rounded(gap.seconds),
                "last_answer_old": _rounded(gap.last),
                "first_answer_new": _rounded(gap.first),
            }
            for gap in chart.gaps
        ],
        "series": [
            {
                "role": track.role,
                "direction": track.way,
                "family": f"IPv{track.version}",
                "protocol": track.protocol,
                "source": track.source,
                "target": track.target,
                "address": track.address,
                "samples": [[_rounded(s.asked), _rounded(s.known), s.answered] for s in track.samples],
            }
            for track in chart.tracks
        ],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _place(probe: Probe, change: NetworkChange) -> tuple[Role, str]:
    """Role and way of a probe, by the NAD of the peer's NIC."""
    path = probe.path
    for vm, nic, peer, way in (
        (path.source, path.source_nic, path.target_nic, "out"),
        (path.target, path.target_nic, path.source_nic, "in"),
    ):
        if vm.name == change.vm:
            return (_role(peer, change) if nic.name == change.nic else Role.CONTROL), way
    return Role.CONTROL, "past"


def _role(peer: Nic, change: NetworkChange) -> Role:
    network = qualified(peer.network or "", change.namespace)
    if network == qualified(change.old_network, change.namespace):
        return Role.OLD
    return Role.NEW if network == qualified(change.new_network, change.namespace) else Role.CONTROL


def _track(probe: Probe, change: NetworkChange) -> Track:
    """Of this probe, without its samples."""
    role, way = _place(probe, change)
    path, address = probe.path, probe.path.target_address.ip
    nic = "pod net" if path.source_nic.network is None else path.source_nic.name
    return Track(role, way, probe.protocol, address.version, path.source.name, path.target.name, str(address), nic)


def _gaps(tracks: Sequence[Track]) -> Iterable[Gap]:
    """The gap of each direction and IP version in which requests went out all the while, by ICMP."""
    for way in ("out", "in"):
        for version in (4, 6):
            own = [t for t in tracks if (t.way, t.version, t.protocol) == (way, version, "ICMP")]
            old = [s.asked for t in own if t.role is Role.OLD for s in t.samples if s.answered]
            new = [s.asked for t in own if t.role is Role.NEW for s in t.samples if s.answered]
            if not old or not new:
                continue
            last, first = max(old), max(*old, min(new))
            asked = sorted(s.asked for t in own if t.role is Role.NEW for s in t.samples if last <= s.asked <= first)
            if all(b - a <= CLOSE_ENOUGH for a, b in pairwise([last, *asked])):
                yield Gap(way, version, last, first)
