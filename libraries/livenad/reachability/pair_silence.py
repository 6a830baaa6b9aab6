# SPDX-License-Identifier: Apache-2.0
"""Silence between two guests without a third: another network that both share is the positive control."""

from __future__ import annotations

from ipaddress import ip_interface

from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.guest.in_parallel import in_parallel
from livenad.guest.shells import bare
from livenad.model import Nic, VmRecord
from livenad.reachability.judge_reachability import Opposite, judge_pair_silent
from livenad.reachability.links import LinkState, alive_since, read_link
from livenad.reachability.measurements import Measurements
from livenad.reachability.observable import for_lack_of_tools, no_control, not_observed, traffic_probes
from livenad.reachability.paths import Path, path_between, shared_paths
from livenad.reachability.probes import Probe, ProbeRun, both_protocols
from livenad.reachability.samples import (
    PairWindow,
    Silence,
    answered,
    judge_pair_silence,
    unproven_kinds,
    without_kinds,
)
from livenad.reachability.traffic import SILENT
from livenad.reachability.windows import Between, PairWatch, Window

_UNPROVEN = (Silence.TOO_FEW, Silence.CONTROL_DEAD)
"""Verdicts that may only mean that the window began too early: a new port may forward nothing for seconds."""


def watch_pair_for_silence(measurements: Measurements, between: Between, duration: float) -> None:
    """Open the window of a `check_pair_silence` that comes later; that check also reports a guest without a shell."""
    measurements.pair_watches[between] = _open(measurements, between, duration)


def check_pair_silence(measurements: Measurements, between: Between, duration: float) -> ProbeRun:
    """Neither side answers the other in a whole window, while both answer over another network.

    ProductFault when an answer came. LabError when nothing is proven: the two share no other network, they do not
    answer over it both ways throughout, or one of the silent NICs does not work in its guest. A window that
    `watch_pair_for_silence` opened is used, if it is long enough; after one that proved nothing a second one follows.
    """
    guests = measurements.guests
    watch = measurements.pair_watches.pop(between, None)
    if watch is None or watch.window.duration < duration:
        watch = _open(measurements, between, duration)
    run, seen, lacks = _finish(measurements, between, watch)
    if judge_pair_silence(seen) in _UNPROVEN:
        watch = _open(measurements, between, duration)
        run, seen, lacks = _finish(measurements, between, watch)
    target = watch.targets[0]
    node = guests.node_of(between.vm)
    subject = (
        f'{target.source.subject}{f" on {node}" if node else ""}: NIC "{between.nic}" ({target.source_address.ip})'
    )
    silent = measurements.verdicts.of_samples(
        judge_pair_silent, seen, subject, Opposite(target.target.name, str(target.target_address.ip))
    )
    alive = "; ".join(_alive(guests, watch, path, subject) for path in watch.targets)
    beside = f"{_through(watch.others[0])} {answered(seen.others)}"
    run.said = f"{silent}; {beside}; {alive}{not_observed(lacks)}"
    run.lacks = for_lack_of_tools(lacks)
    return run


def other_paths(guests: Guests, record: VmRecord, peer: VmRecord, target: Path, version: int) -> list[Path]:
    """Both ways over another network that two VMs share: preferably the tested NIC, the pod network last.

    LabError when they share none.
    """
    found = [
        path
        for path in shared_paths(record, peer)
        if path.subnet != target.subnet
        and path.source_address.version == version
        and (path.source_nic, path.target_nic) != (target.source_nic, target.target_nic)
    ]
    found.sort(key=lambda path: path.source_nic != target.source_nic)
    if not found and record.has_pod_network and peer.has_pod_network:
        found = [_over_pod_network(guests, record, peer)]
    if not found:
        raise LabError(
            f"silence of {record.name} and {peer.name} would prove nothing: they share no other network as a "
            "positive control; give both a NIC on another network, or name a third VM by control=<VM>"
        )
    return [found[0], found[0].reverse()]


def _open(measurements: Measurements, between: Between, duration: float) -> PairWatch:
    guests = measurements.guests
    record, peer = guests.record(between.vm), guests.record(between.peer)
    target = path_between(record, record.nic(between.nic), peer, between.version)
    others = other_paths(guests, record, peer, target, between.version)
    targets = [target, target.reverse()]
    shells = {one.name: guests.shell(one.name) for one in (record, peer)}
    probes = both_protocols(targets)
    # Whether a pod network forwards ICMP depends on the binding; all forward TCP.
    on_pod_network = others[0].source_nic.network is None
    lacks: list[str] = []
    if on_pod_network:
        probes += [Probe(path, "TCP") for path in others]
    else:
        more, lacks = traffic_probes(measurements, [*targets, *others], SILENT)
        probes += [*both_protocols(others), *more]
    links: dict[str, LinkState] = {}
    failures: dict[str, LabError] = {}
    silent = {path.source.name: path.source_nic for path in targets}

    def read(name: str) -> None:
        links[name] = read_link(shells[name], silent[name])

    in_parallel(list(silent), read, failures)
    _raise(failures, between)
    return PairWatch(Window(shells, probes, duration).start(), targets, others, links, lacks)


def _over_pod_network(guests: Guests, record: VmRecord, peer: VmRecord) -> Path:
    return Path(
        record,
        _pod_nic(record),
        ip_interface(guests.pod_address(record.name)),
        peer,
        _pod_nic(peer),
        ip_interface(guests.pod_address(peer.name)),
    )


def _pod_nic(record: VmRecord) -> Nic:
    return next(nic for nic in record.nics if nic.network is None)


def _finish(measurements: Measurements, between: Between, watch: PairWatch) -> tuple[ProbeRun, PairWindow, list[str]]:
    run = watch.window.finish()
    measurements.keep(run)
    _raise(run.failures, between)
    targets, others = run.of(watch.targets), run.of(watch.others)
    unproven = unproven_kinds(targets, others)
    window = PairWindow(
        run.began, watch.window.duration, without_kinds(targets, unproven), without_kinds(others, unproven)
    )
    return run, window, watch.not_observed + no_control(unproven)


def _raise(failures: dict[str, LabError], between: Between) -> None:
    if failures:
        why = "; ".join(bare(error) for error in failures.values())
        raise LabError(
            f'whether NIC "{between.nic}" of {between.vm} and {between.peer} are silent to each other cannot be '
            f"judged: {why}"
        )


def _alive(guests: Guests, watch: PairWatch, path: Path, subject: str) -> str:
    """The evidence that the NIC at the source of a silent path worked."""
    name = path.source.name
    try:
        now = read_link(guests.shell(name), path.source_nic)
        return f"{name}: {alive_since(watch.links[name], now, path.source_nic, str(path.source_address.ip))}"
    except LabError as error:
        raise LabError(
            f"{subject} was silent to {watch.targets[0].target.name}, which proves nothing: {name}: {bare(error)}"
        ) from None


def _through(path: Path) -> str:
    if path.source_nic.network is None:
        return "over the pod network"
    return f"over {path.subnet}"
