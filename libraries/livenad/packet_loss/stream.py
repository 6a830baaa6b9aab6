# SPDX-License-Identifier: Apache-2.0
"""Packet loss: a stream of pings between a NIC and a peer, and a control stream between a third VM and the peer."""

from __future__ import annotations

import time

from livenad.guest.guests import Guests
from livenad.guest.shells import bare
from livenad.packet_loss.judge_loss import Stream, judge_loss
from livenad.reachability.measurements import Measurements
from livenad.reachability.paths import path_between, witness_path
from livenad.reachability.probes import Probe, ProbeRun
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
    title = f'VM {way.source.namespace}/{vm}: NIC "{way.source_nic.name}" ({way.source_address.ip}) and {peer}'
    run, stream = _finished(measurements, watch.window, title)
    _, control = _finished(measurements, watch.beside, third)
    run.said = measurements.verdicts.of_samples(judge_loss, stream, control, peer, limit)
    return run


def _finished(measurements: Measurements, window: Window, title: str) -> tuple[ProbeRun, Stream]:
    """The run of a window, and its stream."""
    window.wait()
    until = time.monotonic() - ANSWER_TIME
    run = window.finish()
    measurements.keep(run)
    why = "; ".join(bare(error) for error in run.failures.values())
    return run, Stream(title, tuple(run.series.values()), run.began, until, why)
