# SPDX-License-Identifier: Apache-2.0
"""Checks between guests: reachability, silence and the pod network, with a product fault or a lab error."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_interface

from livenad.errors import LabError, ProductFault
from livenad.guest.guests import Guests
from livenad.guest.shells import GuestUnreachable, bare
from livenad.model import Nic, VmRecord
from livenad.reachability.measurements import Measurements
from livenad.reachability.paths import Path, path_between, witness_path
from livenad.reachability.probes import (
    ANSWERS_NEEDED,
    Probe,
    ProbeRun,
    both_protocols,
    sample_until_reached,
)
from livenad.reachability.samples import (
    Series,
    Silence,
    SilenceWindow,
    answered,
    headed,
    judge_silence,
    missing_answers,
    reached_after,
)
from livenad.reachability.windows import Between, SilenceWatch, Window
from livenad.text import human

UNPROVEN = (Silence.TOO_FEW, Silence.PEER_DEAD, Silence.CONTROL_DEAD, Silence.VM_CUT_OFF)
"""Verdicts that may only mean that the window began too early: a new port may forward nothing for seconds."""

CONSOLE_CHECK = 15.0
"""Seconds to check on its console whether a guest without SSH is running."""


def check_reach(
    measurements: Measurements, vm: str, peer: str, *, nic: str, within: float, version: int = 4
) -> ProbeRun:
    """ICMP and TCP both ways between a NIC and the peer in its subnet. ProductFault unless all answer in time."""
    guests = measurements.guests
    record = guests.record(vm)
    path = path_between(record, record.nic(nic), guests.record(peer), version)
    shells = {name: guests.shell(name) for name in (vm, peer)}
    run = sample_until_reached(shells, both_protocols([path, path.reverse()]), within)
    measurements.keep(run)
    _raise_failures(run, f'whether NIC "{nic}" of {vm} and {peer} reach each other')
    series = list(run.series.values())
    missing = missing_answers(series, ANSWERS_NEEDED)
    if missing:
        reached = [one for one in series if one not in missing]
        raise ProductFault(
            f'VM {_title(guests, record)}: NIC "{nic}" ({path.source_address.ip}) and {peer} '
            f"({path.target_address.ip}) should reach each other by ICMP and TCP within {human(within)}; "
            f"not reached: {headed(missing, run.began, f'; reached: {_directions(reached)}' if reached else '')}"
        )
    run.said = f"by ICMP and TCP after {human(reached_after(series, ANSWERS_NEEDED, run.began))}"
    return run


def check_silence(measurements: Measurements, silence: Between, duration: float) -> ProbeRun:
    """Neither side answers the other in a whole window, while both positive controls answer.

    ProductFault when an answer came, or when the VM does not reach a working control; LabError when the peer or the
    control does not answer. A window that `watch_for_silence` opened is used, if it is long enough. After one in which
    not all controls answered a second one follows, which decides.
    """
    guests = measurements.guests
    watch = measurements.watches.pop(silence, None)
    if watch is None or watch.window.duration < duration:
        watch = _open_watch(guests, silence, duration)
    run, seen = _seen(measurements, silence, watch)
    if judge_silence(seen) in UNPROVEN:
        watch = _open_watch(guests, silence, duration)
        run, seen = _seen(measurements, silence, watch)
    target = watch.targets[0]
    subject = f'VM {_title(guests, target.source)}: NIC "{silence.nic}" ({target.source_address.ip})'
    _judge(seen, subject, target, silence.control)
    beside = answered([*seen.witness, *seen.control])
    run.said = f"{answered(seen.targets)}; {silence.control} as the control: {beside}"
    return run


def _seen(measurements: Measurements, silence: Between, watch: SilenceWatch) -> tuple[ProbeRun, SilenceWindow]:
    """The run and series of a window at its end."""
    run = watch.window.finish()
    measurements.keep(run)
    _raise_failures(run, f'whether NIC "{silence.nic}" of {silence.vm} and {silence.peer} are silent to each other')
    return run, SilenceWindow(
        run.began,
        watch.window.duration,
        run.of(watch.targets),
        run.of(watch.witnesses),
        run.of([watch.channel]),
        run.of([watch.alive]),
    )


def watch_for_silence(measurements: Measurements, silence: Between, duration: float) -> None:
    """Open the window of a `check_silence` that comes later; that check also reports a guest without a shell."""
    measurements.watches[silence] = _open_watch(measurements.guests, silence, duration)


def _open_watch(guests: Guests, silence: Between, duration: float) -> SilenceWatch:
    record, peer, control = (guests.record(name) for name in (silence.vm, silence.peer, silence.control))
    tested, version = record.nic(silence.nic), silence.version
    target = path_between(record, tested, peer, version)
    channel = path_between(record, tested, control, version)
    witness = witness_path(control, peer, target.target_nic, tested, version)
    alive = witness_path(peer, control, channel.target_nic, tested, version)
    targets, witnesses = [target, target.reverse()], [witness, witness.reverse()]
    shells = {one.name: guests.shell(one.name) for one in (record, peer, control)}
    probes = both_protocols([*targets, *witnesses, channel, alive])
    return SilenceWatch(Window(shells, probes, duration).start(), targets, witnesses, channel, alive)


def check_pod_network(measurements: Measurements, vm: str, peer: str, within: float) -> ProbeRun:
    """The VM reaches the peer's address on the pod network by TCP, and a new SSH connection from outside reaches it."""
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
    _check_entrance(guests, vm, peer, within)
    guests.shell(peer).prepare()
    run = sample_until_reached({vm: guests.shell(vm)}, [Probe(path, "TCP")], within)
    measurements.keep(run)
    _raise_failures(run, f"whether {vm} reaches {peer} on the pod network")
    missing = missing_answers(list(run.series.values()), ANSWERS_NEEDED)
    if missing:
        raise ProductFault(
            f"VM {_title(guests, record)}: its pod network should reach {peer} ({path.target_address.ip}) by TCP "
            f"within {human(within)}; {_describe(missing, run.began)}, while {peer} answers from outside"
        )
    run.said = f"by TCP after {human(reached_after(list(run.series.values()), ANSWERS_NEEDED, run.began))}"
    return run


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


def _judge(window: SilenceWindow, subject: str, target: Path, control: str) -> None:
    peer, seconds = target.target.name, human(window.duration)
    verdict = judge_silence(window)
    if verdict is Silence.PROVEN:
        return
    if verdict is Silence.HEARD:
        heard = [series for series in window.targets if series.answers]
        dead = not any(series.answers for series in window.control)
        reached = (
            f'was {"not " if dead else ""}reached through NIC "{target.source_nic.name}"{"" if dead else " as well"}'
        )
        raise ProductFault(
            f"{subject} and {peer} ({target.target_address.ip}) should be silent to each other for {seconds}; "
            f"answers came: {headed(heard, window.began, f'; in the same window {control} {reached}')}"
        )
    if verdict is Silence.VM_CUT_OFF:
        raise ProductFault(
            f"{subject}: silence proves nothing: it should reach {control} throughout {seconds}, and that it is silent "
            f"to {peer} only shows that the NIC carries little or nothing; {_describe(window.control, window.began)}; "
            f"{control} itself is alive: {_describe(window.control_alive, window.began)}"
        )
    evidence, reason = {
        Silence.PEER_DEAD: (window.witness, f"the probed NIC of {peer} does not answer its witness {control} either"),
        Silence.CONTROL_DEAD: (
            [*window.control, *window.control_alive],
            f"the control {control} answers neither of them",
        ),
        Silence.TOO_FEW: (
            [*window.targets, *window.witness, *window.control],
            "too few requests were sent: was a guest frozen or overloaded?",
        ),
    }[verdict]
    raise LabError(
        f"{subject} was silent to {peer} for {seconds}, which proves nothing: {reason}; "
        f"{_describe(evidence, window.began)}"
    )


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


def _describe(series: Sequence[Series], began: float) -> str:
    return "; ".join(one.describe(began) for one in series)


def _directions(series: list[Series]) -> str:
    return ", ".join(f"{one.protocol} {one.source} → {one.target}" for one in series)
