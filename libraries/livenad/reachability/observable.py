# SPDX-License-Identifier: Apache-2.0
"""Which kinds of traffic can be observed between guests, and how fast a transfer was before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.guest.shells import GuestUnreachable, bare
from livenad.model import VmRecord
from livenad.reachability.judge_reachability import ANSWERS_NEEDED, TIMED, quickest_of, rate_of
from livenad.reachability.measurements import Measurements
from livenad.reachability.paths import Path
from livenad.reachability.probes import Probe, ProbeRun
from livenad.reachability.samples import ALWAYS_NEEDED, Series, missing_answers
from livenad.reachability.traffic import PYTHON, ROOT, Traffic


def obstacle(guests: Guests, kind: Traffic, path: Path) -> str:
    """What keeps a kind of traffic from being observed on a path, "" for nothing."""
    if kind == "broadcast" and path.source_address.version == 6:
        return "IPv6 has none"
    source, target = path.source.name, path.target.name
    needs = {source: (PYTHON, ROOT, "ip")} if kind == "neighbour" else {source: (PYTHON,), target: (PYTHON,)}
    for guest, tools in needs.items():
        missing = guests.missing_tools(guest)
        if lacking := [tool for tool in tools if tool in missing]:
            return f"{guest} has no {lacking[0]}"
    return ""


def traffic_probes(
    measurements: Measurements, paths: Sequence[Path], kinds: Iterable[Traffic]
) -> tuple[list[Probe], list[str]]:
    """A probe of each kind for each path, of kinds that all paths can observe; and why the others cannot be."""
    probes, lacks, kinds = [], [], list(kinds)
    if kinds:
        ends = list(dict.fromkeys(end.name for path in paths for end in (path.source, path.target)))
        try:
            measurements.guests.ask_for_tools(ends)
        except GuestUnreachable as error:
            raise LabError(f"what crosses between {' and '.join(ends)} cannot be judged: {bare(error)}") from None
    for kind in kinds:
        why = measurements.unobservable.get(kind, "")
        why = why or next(filter(None, (obstacle(measurements.guests, kind, path) for path in paths)), "")
        if not why:
            probes += [Probe(path, kind) for path in paths]
        elif not (kind == "broadcast" and paths[0].source_address.version == 6):
            lacks.append(f"{kind} ({why})")
    return probes, lacks


def for_lack_of_tools(lacks: Sequence[str]) -> list[str]:
    """Those kinds of traffic that a guest has no tool for."""
    return [one for one in lacks if " has no " in one]


def not_observed(lacks: Sequence[str]) -> str:
    """``; not observed: UDP (web has no python3)``, "" for nothing."""
    return f"; not observed: {', '.join(lacks)}" if lacks else ""


def no_control(kinds: Iterable[str]) -> list[str]:
    """Kinds of traffic that are not observed, as no control answered."""
    return [f"{kind} (a control did not answer)" for kind in kinds]


def remember_unobservable(measurements: Measurements, series: Sequence[Series]) -> list[str]:
    """Before a change: what guests do not answer although they answer pings and TCP cannot be observed after it.

    A firewall in the guests may be the reason, or frames of the lab that are smaller than those of the guests.
    """
    missing = missing_answers(series, ANSWERS_NEEDED)
    kinds = {one.protocol for one in missing}
    if kinds & set(ALWAYS_NEEDED):
        return []
    for one in missing:
        why = f"{one.target} did not answer {one.source} before the change"
        measurements.unobservable.setdefault(one.protocol, why)
    return [f"{kind} ({measurements.unobservable[kind]})" for kind in sorted(kinds)]


def first_rates(measurements: Measurements, run: ProbeRun, vm: VmRecord, nic: str) -> dict[str, float]:
    """The rates of the first transfers through a NIC, by the sending guest; this run may be the first."""
    found = {}
    for probe, series in run.series.items():
        if probe.protocol == "transfer":
            found[series.source] = measurements.rates.setdefault(_way(probe, vm, nic), rate_of(series))
    return found


def first_times(measurements: Measurements, run: ProbeRun, vm: VmRecord, nic: str) -> dict[str, float]:
    """The times of the quickest first answers through a NIC, as in `judge_reach`; this run may be the first."""
    found = {}
    for probe, series in run.series.items():
        if probe.protocol in TIMED and series.answers:
            key = (probe.protocol, *_way(probe, vm, nic))
            found[f"{probe.protocol} {series.source}"] = measurements.times.setdefault(key, quickest_of(series))
    return found


def _way(probe: Probe, vm: VmRecord, nic: str) -> tuple[str, str, bool, int]:
    return vm.name, nic, probe.path.source.name == vm.name, probe.path.source_address.version
