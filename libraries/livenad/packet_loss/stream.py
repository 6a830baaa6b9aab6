# SPDX-License-Identifier: Apache-2.0
"""Packet loss: a stream of pings between a NIC and a peer, and a control stream between a third VM and the peer."""

from __future__ import annotations

import time

from livenad.guest.guests import Guests
from livenad.guest.shells import bare
from livenad.packet_loss.judge_loss import Measured, judge_loss
from livenad.reachability.measurements import Measurements
from livenad.reachability.paths import path_between, witness_path
from livenad.reachability.probes import Probe, ProbeRun
from livenad.reachability.samples import Loss, lost
from livenad.reachability.windows import Between, LossWatch, Window

PAUSE = 0.1
"""Seconds from one ping to the next."""

ANSWER_TIME = 1.2
"""Pings of the last seconds do not count, as their answers may still arrive."""


def watch_for_loss(measurements: Measurements, between: Between, duration: float) -> None:
    """Start the stream for a later `check_loss`, which also reports a guest without a shell."""
    measurements.streams[between] = _open(measurements.guests, between, duration)


def _open(guests: Guests, between: Between, duration: float) -> LossWatch:
    record, peer_record, third = (guests.record(name) for name in (between.vm, between.peer, between.control))
    tested = record.nic(between.nic)
    way = path_between(record, tested, peer_record, between.version)
    beside = witness_path(third, peer_record, way.target_nic, tested, between.version)
    ways = [way, way.reverse()]
    shells = {one.name: guests.shell(one.name) for one in (record, peer_record, third)}
    window = Window(shells, [Probe(path, "ICMP", PAUSE) for path in ways], duration).start()
    return LossWatch(window, ways, Window(shells, [Probe(beside, "ICMP", PAUSE)], duration).start(), beside)


def check_loss(measurements: Measurements, between: Between, duration: float, limit: int) -> ProbeRun:
    """ProductFault when more than ``limit`` percent of the pings of both ways got no answer.

    LabError when the control lost more than the limit too, or when commands could not be run in one of the guests.
    Waits for the end of a stream that `watch_for_loss` started.
    """
    watch = measurements.streams.pop(between, None) or _open(measurements.guests, between, duration)
    way = watch.ways[0]
    vm, peer, third = way.source.name, way.target.name, watch.control.source.name
    run, judged = _lost(measurements, watch.window)
    beside, control = _lost(measurements, watch.beside)
    title = f'VM {way.source.namespace}/{vm}: NIC "{way.source_nic.name}" ({way.source_address.ip}) and {peer}'
    few = "" if run.failures or judged else "too few requests were sent; "
    stream = Measured(title, judged, few + _describe(run))
    other = Measured(third, control, _describe(beside))
    run.said = measurements.verdicts.of_samples(judge_loss, stream, other, peer, limit)
    return run


def _lost(measurements: Measurements, window: Window) -> tuple[ProbeRun, Loss | None]:
    """The run of a window, and its packet loss; None when that is unknown."""
    window.wait()
    until = time.monotonic() - ANSWER_TIME
    run = window.finish()
    measurements.keep(run)
    return run, None if run.failures else lost(list(run.series.values()), until)


def _describe(run: ProbeRun) -> str:
    reasons = [bare(error) for error in run.failures.values()]
    return "; ".join(reasons or [one.describe(run.began) for one in run.series.values()])
