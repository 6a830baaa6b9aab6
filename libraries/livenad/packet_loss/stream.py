"""How much a network loses: pings in a steady stream between a NIC and a peer, beside one that leaves the VM out."""

from __future__ import annotations

import time

from livenad.errors import LabError, ProductFault
from livenad.guest.guests import Guests
from livenad.guest.shells import bare
from livenad.reachability.measurements import Measurements
from livenad.reachability.paths import path_between, witness_path
from livenad.reachability.probes import Probe, ProbeRun
from livenad.reachability.samples import Loss, lost
from livenad.reachability.windows import Between, LossWatch, Window

PAUSE = 0.1
"""Seconds from one ping to the next."""

ANSWER_TIME = 1.2
"""Pings of the last seconds do not count: their answers may still be on their way."""


def watch_for_loss(measurements: Measurements, between: Between, duration: float) -> None:
    """Begin the stream that a later `check_loss` judges; a guest that cannot be asked is told by that one."""
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
    """ProductFault where more than ``limit`` percent of both ways' pings in a stream got no answer.

    LabError when the control lost as much or could not be asked, or the two themselves could not. A stream that
    `watch_for_loss` began is waited for.
    """
    watch = measurements.streams.pop(between, None) or _open(measurements.guests, between, duration)
    way = watch.ways[0]
    vm, peer, third = way.source.name, way.target.name, watch.control.source.name
    run, judged = _lost(measurements, watch.window)
    beside, control = _lost(measurements, watch.beside)
    title = f'VM {way.source.namespace}/{vm}: NIC "{way.source_nic.name}" ({way.source_address.ip}) and {peer}'
    told = _describe(run)
    if judged is None:
        few = "" if run.failures else "too few requests were sent; "
        raise LabError(f"what {title} lose between them cannot be judged: {few}{told}")
    if judged.percent <= limit:
        beside_it = f"; beside it, {third} and {peer} lost {control}" if control else ""
        run.said = f"lost {judged}, limit {limit} %{beside_it}"
        return run
    if control is None:
        raise LabError(
            f"{title} lose {judged.percent:.0f} % between them, and {third} cannot be asked what it loses; {told}"
        )
    told += f"; beside it, {_describe(beside)}"
    if control.percent > limit:
        raise LabError(
            f"{title} lose {judged.percent:.0f} % between them, and {third} and {peer} {control.percent:.0f} %; {told}"
        )
    raise ProductFault(
        f"{title} should lose {limit} % of pings at most (LOSS_LIMIT), lost were {judged.percent:.0f} %; {told}"
    )


def _lost(measurements: Measurements, window: Window) -> tuple[ProbeRun, Loss | None]:
    """What a window gave, and what of it was lost; None where that is not known."""
    window.wait()
    until = time.monotonic() - ANSWER_TIME
    run = window.finish()
    measurements.keep(run)
    return run, None if run.failures else lost(list(run.series.values()), until)


def _describe(run: ProbeRun) -> str:
    reasons = [bare(error) for error in run.failures.values()]
    return "; ".join(reasons or [one.describe(run.began) for one in run.series.values()])
