# SPDX-License-Identifier: Apache-2.0
"""Checks between guests: reachability, silence and the pod network, with a product fault or a lab error."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_interface

from livenad.errors import LabError, ProductFault
from livenad.guest.guests import Guests
from livenad.guest.shells import GuestUnreachable, Shell, bare
from livenad.model import Nic, VmRecord
from livenad.reachability.judge_reachability import (
    ANSWERS_NEEDED,
    Opposite,
    judge_pod_network,
    judge_reach,
    judge_silent,
    late,
    quickest_of,
)
from livenad.reachability.measurements import Measurements
from livenad.reachability.observable import (
    first_rates,
    first_times,
    for_lack_of_tools,
    no_control,
    not_observed,
    remember_unobservable,
    traffic_probes,
)
from livenad.reachability.paths import Path, path_between, witness_path
from livenad.reachability.probes import Probe, ProbeRun, both_protocols, sample_until_reached
from livenad.reachability.samples import (
    Silence,
    SilenceWindow,
    judge_silence,
    missing_answers,
    unproven_kinds,
    without_kinds,
)
from livenad.reachability.traffic import REACHED, SILENT
from livenad.reachability.windows import Between, SilenceWatch, Window
from livenad.text import human

UNPROVEN = (Silence.TOO_FEW, Silence.PEER_DEAD, Silence.CONTROL_DEAD, Silence.VM_CUT_OFF)
"""Verdicts that may only mean that the window began too early: a new port may forward nothing for seconds."""

POD_NETWORK_LOOK = 2.0
"""Seconds to find out before a change what a pod network carries beside TCP."""

CONSOLE_CHECK = 15.0
"""Seconds to check on its console whether a guest without SSH is running."""


def check_reach(
    measurements: Measurements,
    vm: str,
    peer: str,
    *,
    nic: str,
    within: float,
    version: int = 4,
    before_change: bool = False,
) -> ProbeRun:
    """ICMP, TCP, UDP, full frames and a transfer both ways between a NIC and the peer in its subnet.

    ProductFault unless all answer in time, and the transfers get half the rate of the first ones of this NIC. What is
    observed beside ICMP and TCP depends on the guests' tools; ``before_change``: what guests do not answer of it is not
    observed later.
    """
    guests = measurements.guests
    record = guests.record(vm)
    path = path_between(record, record.nic(nic), guests.record(peer), version)
    shells = {name: guests.shell(name) for name in (vm, peer)}
    ways = [path, path.reverse()]
    more, lacks = traffic_probes(measurements, ways, REACHED)
    probes = [*both_protocols(ways), *more]
    run = sample_until_reached(shells, sorted(probes, key=lambda probe: ways.index(probe.path)), within)
    times = first_times(measurements, run, record, nic)
    _ask_again_while_late(shells, run, times, within)
    measurements.keep(run)
    _raise_failures(run, f'whether NIC "{nic}" of {vm} and {peer} reach each other')
    subject = f'VM {_title(guests, record)}: NIC "{nic}" ({path.source_address.ip})'
    series = list(run.series.values())
    if before_change:
        lacks += remember_unobservable(measurements, series)
    judged = without_kinds(series, measurements.unobservable)
    first = (first_rates(measurements, run, record, nic), times)
    said = measurements.verdicts.of_samples(judge_reach, judged, run.began, subject, opposite(path), within, *first)
    run.said, run.lacks = said + not_observed(lacks), for_lack_of_tools(lacks)
    return run


def _ask_again_while_late(
    shells: Mapping[str, Shell], run: ProbeRun, times: Mapping[str, float], within: float
) -> None:
    """A busy guest answers late for a while, a slow network always does: ask until an answer is in time."""
    deadline = run.began + within
    while not run.failures and (left := deadline - time.monotonic()) > 0:
        again = [probe for probe, series in run.series.items() if series.answers and late([series], times)]
        if not again:
            return
        _sample_more(shells, run, again, left)


def _sample_more(shells: Mapping[str, Shell], run: ProbeRun, probes: Sequence[Probe], within: float) -> None:
    """Go on with some of a run's probes."""
    more = sample_until_reached(shells, probes, within)
    run.failures |= more.failures
    for probe, series in more.series.items():
        before = run.series[probe]
        run.series[probe] = replace(before, samples=(*before.samples, *series.samples))


def check_silence(measurements: Measurements, silence: Between, duration: float) -> ProbeRun:
    """Neither side answers the other in a whole window, while both positive controls answer.

    ProductFault when an answer came, or when the VM does not reach a working control; LabError when the peer or the
    control does not answer. A window that `watch_for_silence` opened is used, if it is long enough. After one in which
    not all controls answered a second one follows, which decides.
    """
    guests = measurements.guests
    watch = measurements.watches.pop(silence, None)
    if watch is None or watch.window.duration < duration:
        watch = _open_watch(measurements, silence, duration)
    run, seen, lacks = _seen(measurements, silence, watch)
    if judge_silence(seen) in UNPROVEN:
        watch = _open_watch(measurements, silence, duration)
        run, seen, lacks = _seen(measurements, silence, watch)
    target = watch.targets[0]
    subject = f'VM {_title(guests, target.source)}: NIC "{silence.nic}" ({target.source_address.ip})'
    said = measurements.verdicts.of_samples(judge_silent, seen, subject, opposite(target), silence.nic, silence.control)
    run.said, run.lacks = said + not_observed(lacks), for_lack_of_tools(lacks)
    return run


def _seen(
    measurements: Measurements, silence: Between, watch: SilenceWatch
) -> tuple[ProbeRun, SilenceWindow, list[str]]:
    """The run and series of a window at its end; and what was not observed in it."""
    run = watch.window.finish()
    measurements.keep(run)
    _raise_failures(run, f'whether NIC "{silence.nic}" of {silence.vm} and {silence.peer} are silent to each other')
    targets, channel = run.of(watch.targets), [watch.channel, watch.channel.reverse()]
    unproven = unproven_kinds(targets, run.of([*watch.witnesses, *channel]))
    window = SilenceWindow(
        run.began,
        watch.window.duration,
        without_kinds(targets, unproven),
        without_kinds(run.of(watch.witnesses), unproven),
        without_kinds(run.of(channel), unproven),
        run.of([watch.alive]),
    )
    return run, window, watch.not_observed + no_control(unproven)


def watch_for_silence(measurements: Measurements, silence: Between, duration: float) -> None:
    """Open the window of a `check_silence` that comes later; that check also reports a guest without a shell."""
    measurements.watches[silence] = _open_watch(measurements, silence, duration)


def _open_watch(measurements: Measurements, silence: Between, duration: float) -> SilenceWatch:
    guests = measurements.guests
    record, peer, control = (guests.record(name) for name in (silence.vm, silence.peer, silence.control))
    tested, version = record.nic(silence.nic), silence.version
    target = path_between(record, tested, peer, version)
    channel = path_between(record, tested, control, version)
    witness = witness_path(control, peer, target.target_nic, tested, version)
    alive = witness_path(peer, control, channel.target_nic, tested, version)
    targets, witnesses = [target, target.reverse()], [witness, witness.reverse()]
    shells = {one.name: guests.shell(one.name) for one in (record, peer, control)}
    # The way back too: that the VM hears nothing proves something only if it can hear.
    controls = [*witnesses, channel, channel.reverse()]
    more, lacks = traffic_probes(measurements, [*targets, *controls], SILENT)
    probes = [*both_protocols([*targets, *witnesses, channel, alive]), *more]
    return SilenceWatch(Window(shells, probes, duration).start(), targets, witnesses, channel, alive, lacks)


def check_pod_network(
    measurements: Measurements, vm: str, peer: str, within: float, *, before_change: bool = False
) -> ProbeRun:
    """The VM reaches the peer's address on the pod network by TCP, and a new SSH connection from outside reaches it.

    ``before_change``: what else crosses it between the two, each way, is found out, and must cross it later. What does
    depends on the binding and on policies. No SSH connection is made, as those of the suite have just come that way.
    """
    guests = measurements.guests
    record, peer_record = guests.record(vm), guests.record(peer)
    path = Path(
        record,
        _pod_nic(record),
        ip_interface(guests.pod_address(vm)),
        peer_record,
        _pod_nic(peer_record),
        ip_interface(guests.pod_address(peer)),
    )
    if not before_change:
        _check_entrance(guests, vm, peer, within)
    guests.shell(peer).prepare()
    shells = {name: guests.shell(name) for name in (vm, peer)}
    tcp, also = Probe(path, "TCP"), _also_on_pod_network(measurements, path)
    known = measurements.on_pod_network.get((vm, peer), ())
    times = measurements.pod_times.get((vm, peer), {})
    if before_change:
        run = sample_until_reached(shells, [tcp, *also], min(within, POD_NETWORK_LOOK))
        if tcp in run.series and missing_answers([run.series[tcp]], ANSWERS_NEEDED):
            _sample_more(shells, run, [tcp], run.began + within - time.monotonic())
    else:
        run = sample_until_reached(shells, [tcp, *(probe for probe in also if probe.kind in known)], within)
        _ask_again_while_late(shells, run, times, within)
    measurements.keep(run)
    _raise_failures(run, f"whether {vm} reaches {peer} on the pod network")
    judged = [run.series[tcp]] if before_change else list(run.series.values())
    run.said = measurements.verdicts.of_samples(
        judge_pod_network, judged, run.began, f"VM {_title(guests, record)}", opposite(path), within, times
    )
    if before_change:
        missing = missing_answers(list(run.series.values()), ANSWERS_NEEDED)
        found = {probe: series for probe, series in run.series.items() if series not in missing}
        measurements.on_pod_network[vm, peer] = tuple(probe.kind for probe in found)
        measurements.pod_times[vm, peer] = {
            f"{series.protocol} {series.source}": quickest_of(series) for series in found.values()
        }
    return run


def _also_on_pod_network(measurements: Measurements, path: Path) -> list[Probe]:
    ways = [path, path.reverse()]
    more, _ = traffic_probes(measurements, ways, ("UDP", "full-size UDP", "stream"))
    gateway, _ = traffic_probes(measurements, [path], ("neighbour",))
    return [*(Probe(way, "ICMP") for way in ways), Probe(path.reverse(), "TCP"), *more, *gateway]


def _check_entrance(guests: Guests, vm: str, peer: str, within: float) -> None:
    """A new connection from outside through the pod network, as an existing one proves nothing about now.

    ProductFault only when the same works with the peer.
    """
    record = guests.record(vm)
    session = guests.new_ssh(vm)
    try:
        session.run("true", within, repeatable=True)
    except GuestUnreachable as error:
        try:
            guests.console(vm).prepare(CONSOLE_CHECK)
        except GuestUnreachable as dead:
            raise LabError(f"{bare(error)}; {bare(dead)}") from None
        _require_entrance(guests, peer, within, f"whether {vm} is reached through its pod network")
        raise ProductFault(
            f"VM {_title(guests, record)}: a new connection through its pod network should open within "
            f"{human(within)}; {bare(error)}, while the guest answers on its console and {peer} over SSH"
        ) from None
    finally:
        session.close()


def _require_entrance(guests: Guests, peer: str, within: float, question: str) -> None:
    """LabError unless a new connection from outside reaches the peer."""
    session = guests.new_ssh(peer)
    try:
        session.run("true", within, repeatable=True)
    except GuestUnreachable as error:
        raise LabError(f"{question} cannot be judged: {peer} is not reached either; {bare(error)}") from None
    finally:
        session.close()


def _raise_failures(run: ProbeRun, question: str) -> None:
    """LabError when no command could be run in a guest: then nothing can be judged."""
    if run.failures:
        raise LabError(f"{question} cannot be judged: {'; '.join(bare(error) for error in run.failures.values())}")


def _pod_nic(record: VmRecord) -> Nic:
    for nic in record.nics:
        if nic.network is None:
            return nic
    raise LabError(f"VM {record.namespace}/{record.name} has no NIC on the pod network")


def _title(guests: Guests, record: VmRecord) -> str:
    node = guests.node_of(record.name)
    return f"{record.namespace}/{record.name}" + (f" on {node}" if node else "")


def opposite(path: Path) -> Opposite:
    """The guest at the end of a path."""
    return Opposite(path.target.name, str(path.target_address.ip))
