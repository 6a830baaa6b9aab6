"""How much a network loses: pings in a steady stream between a NIC and a peer, beside one that leaves the VM out."""

from __future__ import annotations

import time
from collections.abc import Iterable

from testbed.errors import LabError, ProductFault
from testbed.guest.guests import Guests
from testbed.guest.paths import path_between, witness_path
from testbed.guest.probes import Probe, ProbeRun
from testbed.guest.reachability import find_nic
from testbed.guest.shells import bare
from testbed.guest.windows import Between, LossWatch, Window
from testbed.verdicts.samples import Series, lost

PAUSE = 0.1
"""Seconds from one ping to the next."""

ANSWER_TIME = 1.2
"""Pings of the last seconds do not count: their answers may still be on their way."""


def watch_for_loss(guests: Guests, between: Between, duration: float) -> None:
    """Begin the stream that a later `check_loss` judges; a guest that cannot be asked is told by that one."""
    guests.streams[between] = _open(guests, between, duration)


def _open(guests: Guests, between: Between, duration: float) -> LossWatch:
    record, peer_record, third = (guests.record(name) for name in (between.vm, between.peer, between.control))
    tested = find_nic(record, between.nic)
    way = path_between(record, tested, peer_record, between.version)
    beside = witness_path(third, peer_record, way.target_nic, tested, between.version)
    probes = [Probe(path, "ICMP", PAUSE) for path in (way, way.reverse(), beside)]
    shells = {one.name: guests.shell(one.name) for one in (record, peer_record, third)}
    return LossWatch(Window(shells, probes, duration).start(), [way, way.reverse()], beside)


def check_loss(guests: Guests, between: Between, duration: float, limit: int) -> ProbeRun:
    """ProductFault where more than ``limit`` percent of both ways' pings in a stream got no answer.

    LabError when the control lost as much, or a guest could not be asked. A stream that `watch_for_loss` began is
    waited for.
    """
    watch = guests.streams.pop(between, None) or _open(guests, between, duration)
    way = watch.ways[0]
    vm, peer, third = way.source.name, way.target.name, watch.control.source.name
    watch.window.wait()
    ended = time.monotonic()
    run = watch.window.finish()
    guests.keep(run)
    title = f'VM {way.source.namespace}/{vm}: NIC "{way.source_nic.name}" ({way.source_address.ip}) and {peer}'
    if run.failures:
        reasons = "; ".join(bare(error) for error in run.failures.values())
        raise LabError(f"what {title} lose between them cannot be judged: {reasons}")
    end = ended - ANSWER_TIME
    ways, beside = run.of(watch.ways), run.of([watch.control])
    judged, control = lost(ways, end), lost(beside, end)
    told = f"{_describe(ways, run.began)}; beside it, {_describe(beside, run.began)}"
    if control is None or judged is None:
        raise LabError(f"what {title} lose between them cannot be judged: too few requests were sent; {told}")
    if judged <= limit:
        return run
    if control > limit:
        raise LabError(f"{title} lose {judged:.0f} % between them, and {third} and {peer} {control:.0f} %; {told}")
    raise ProductFault(f"{title} should lose {limit} % of pings at most (LOSS_LIMIT), lost were {judged:.0f} %; {told}")


def _describe(series: Iterable[Series], began: float) -> str:
    return "; ".join(one.describe(began) for one in series)
