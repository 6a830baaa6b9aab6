# SPDX-License-Identifier: Apache-2.0
"""Traffic beyond pings: what is sent to guests, and what is made of what it prints."""

from __future__ import annotations

import ast
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import cast

import pytest
from livenad.errors import LabError, ProductFault
from livenad.guest.shells import GuestUnreachable
from livenad.reachability import checks, guest_program, guest_requests, traffic
from livenad.reachability.judge_reachability import Opposite, judge_reach, rate_of
from livenad.reachability.measurements import Measurements
from livenad.reachability.samples import Sample, Series, unproven_kinds
from livenad.reachability.windows import Between

from tests.unit.support.paper import NEW, OLD, VM, Answers, PaperGuests, swapped

OLD_SILENCE = Between("vm", "old-peer", "secondary", "new-peer")


def test_what_is_sent_to_guests_is_for_python_3_6() -> None:
    code = traffic.program()
    ast.parse(code, feature_version=(3, 6))
    nodes = list(ast.walk(ast.parse(code)))
    # From Python 3.12 on, what stands there is written in the quotes of the whole, which no Python before can read.
    filled = [one.value for one in nodes if isinstance(one, ast.FormattedValue)]
    assert not [one.value for part in filled for one in ast.walk(part) if isinstance(one, ast.Constant)]
    assert not [one for one in nodes if isinstance(one, ast.AnnAssign) or getattr(one, "annotation", None)]
    assert not [one for one in nodes if isinstance(one, ast.FunctionDef) and (one.returns or ast.get_docstring(one))]
    modules = {name.name for one in nodes if isinstance(one, ast.Import) for name in one.names}
    assert modules == {"contextlib", "json", "os", "socket", "subprocess", "sys", "threading", "time"}
    assert len(traffic.command({})) < 8000


def test_one_thread_at_a_time_reads_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 raises a SystemError when two threads are in ast.parse at the same time."""
    both, met = threading.Barrier(2), []

    def program() -> str:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.1)
            met.append(True)
        return ""

    monkeypatch.setattr(traffic, "program", program)
    traffic._packed_once.cache_clear()
    try:
        with ThreadPoolExecutor(2) as pool:
            assert len(set(pool.map(lambda _: traffic.command({}), range(2)))) == 1
    finally:
        traffic._packed_once.cache_clear()
    assert not met


def test_full_frames_are_as_large_as_the_interface_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(guest_requests.Asking, "_datagram", lambda *words: sizes.append(words[-1]))
    monkeypatch.setattr(guest_program, "mtu_of", lambda device: 1450)
    asking = guest_requests.Asking({"token": "ab", "seconds": 1.0, "guest": "web"}, "", "/")
    asking._full(0, "1.00", "net1", "10.10.0.10", "10.10.0.11")
    asking._full(0, "1.00", "net1", "fd00::10", "fd00::11")
    assert sizes == [1450 - 28, 1450 - 48]


def paper(answers: Answers = swapped) -> PaperGuests:
    return PaperGuests(answers)


def reach(guests: PaperGuests, *, before: bool = False) -> str:
    measured = cast(Measurements, guests)
    run = checks.check_reach(measured, "vm", "new-peer", nic="secondary", within=0.3, before_change=before)
    return run.said


def silence(guests: PaperGuests) -> str:
    return checks.check_silence(cast(Measurements, guests), OLD_SILENCE, 5.0).said


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "kind", ["UDP", "full-size UDP", "full-size ICMP", "transfer", "stream", "broadcast", "neighbour"]
)
def test_each_kind_must_reach(kind: str) -> None:
    guests = paper()
    guests.let(lambda one, source, target: (one, target) != (kind, NEW))
    with pytest.raises(ProductFault, match=rf"within 0.3 s; not reached: {kind} vm → new-peer \(10.10.0.12\): 0 of"):
        reach(guests)


@pytest.mark.usefixtures("at_once")
def test_guest_that_cannot_be_asked_for_its_tools_is_the_labs(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = paper()

    def refuses(names: object) -> None:
        raise GuestUnreachable("guest lab/vm over SSH: no session within 18 s")

    monkeypatch.setattr(guests, "ask_for_tools", refuses)
    said = "what crosses between vm and new-peer cannot be judged: guest lab/vm over SSH: no session within 18 s"
    with pytest.raises(LabError, match=f"^LAB ERROR: {said}"):
        reach(guests)


@pytest.mark.usefixtures("at_once")
def test_what_guests_do_not_answer_before_the_change_is_not_observed_after_it() -> None:
    guests = paper()
    guests.let(lambda one, source, target: one != "UDP")
    assert "; not observed: UDP (new-peer did not answer vm before the change)" in reach(guests, before=True)
    assert "not observed: UDP" in reach(guests)
    guests = paper()
    guests.let(lambda one, source, target: one not in ("UDP", "TCP"))
    with pytest.raises(ProductFault, match="not reached: TCP"):
        reach(guests, before=True)


@pytest.mark.usefixtures("at_once")
def test_guest_without_python_is_not_asked_and_this_is_told() -> None:
    guests = paper()
    guests.missing_tools = lambda name: ["python3"] if name == "new-peer" else []  # type: ignore[method-assign]
    assert "by ICMP and TCP after" in reach(guests)
    assert "; not observed: UDP (new-peer has no python3), full-size UDP (new-peer" in reach(guests)
    assert "; not observed: UDP (new-peer has no python3), broadcast (" in silence(guests)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("kind", ["UDP", "broadcast", "multicast", "neighbour"])
@pytest.mark.parametrize(("source", "target"), [("vm", OLD), ("old-peer", VM)])
def test_each_kind_must_be_silent_both_ways(kind: str, source: str, target: str) -> None:
    def leaking(one: str, other: str) -> bool:
        return swapped(one, other) or (one, other) == (source, target)

    guests = paper(leaking)
    guests.let(lambda one, frm, to: swapped(frm, to) or one == kind)
    peer = "old-peer" if source == "vm" else "vm"
    with pytest.raises(ProductFault, match=rf"answers came: {kind} {source} → {peer} \({target}\): \d+ of"):
        silence(guests)


@pytest.mark.usefixtures("at_once")
def test_kind_without_a_positive_control_proves_nothing_and_this_is_told() -> None:
    guests = paper()
    guests.let(lambda one, source, target: one != "multicast")
    assert silence(guests).endswith("; not observed: multicast (a control did not answer)")


def test_kind_that_was_hardly_asked_for_proves_nothing_and_keeps_nothing_from_being_judged() -> None:
    def one(kind: str, times: int, *, answered: bool) -> Series:
        samples = tuple(Sample(float(at), float(at), answered) for at in range(times))
        return Series("vm", "old-peer", OLD, kind, samples)

    controls = [one("neighbour", 4, answered=True), one("ICMP", 4, answered=True)]
    assert unproven_kinds([one("neighbour", 2, answered=False), one("ICMP", 1, answered=False)], controls) == []
    assert unproven_kinds([one("neighbour", 1, answered=False)], controls) == ["neighbour"]
    assert unproven_kinds([one("neighbour", 1, answered=True)], controls) == []


@pytest.mark.usefixtures("at_once")
def test_a_frame_by_another_nic_is_not_one_of_the_silent_nic() -> None:
    guests = paper()
    for shell in guests._shells.values():
        shell.macs[VM] = "02:00:00:00:00:99"
    assert "multicast (a control did not answer)" in silence(guests)


def test_transfer_that_is_not_whole_is_told_with_the_pings_that_were_lost() -> None:
    def pings(source: str, target: str) -> Series:
        return Series(source, target, NEW, "ICMP", tuple(Sample(float(at), at + 0.1, at % 4 > 0) for at in range(20)))

    given_up = Series("new-peer", "vm", VM, "transfer", (Sample(5.0, 9.0, False),))
    series = [pings("vm", "new-peer"), pings("new-peer", "vm"), given_up]
    with pytest.raises(ProductFault, match=r"2 MB is given up after 4.0 s, and meanwhile 10 of 40 pings were lost$"):
        judge_reach(series, 0.0, 'VM demo/vm: NIC "secondary"', Opposite("new-peer", NEW), 8.0)


def transfers(*seconds: float) -> Series:
    return Series("vm", "peer", "10.0.0.2", "transfer", tuple(Sample(5.0, 5.0 + one, True) for one in seconds))


def test_rate_is_that_of_the_fastest_whole_transfer() -> None:
    assert rate_of(transfers(4.0, 2.0)) == 8.0
    assert rate_of(Series("vm", "peer", "10.0.0.2", "transfer", (Sample(5.0, 9.0, False),))) == 0.0


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("first", "least"), [(900.0, "5.0"), (6.0, "3.0")])
def test_transfer_gets_half_of_its_first_rate(first: float, least: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guests = paper()
    told = {True: first, False: first}
    for module in ("judge_reachability", "observable"):
        monkeypatch.setattr(f"livenad.reachability.{module}.rate_of", lambda series: told[series.source == "vm"])
    assert f"vm → new-peer {first:.0f} Mbit/s, new-peer → vm {first:.0f} Mbit/s" in reach(guests)
    told[False] = float(least) - 0.1
    with pytest.raises(
        ProductFault,
        match=rf"2 MB by TCP new-peer → vm should get at least {least} Mbit/s, .* but got {told[False]:.1f} Mbit/s",
    ):
        reach(guests)
    told[False] = float(least)
    reach(guests)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("kind", ["ICMP", "TCP", "UDP", "neighbour"])
def test_answers_come_hardly_later_than_the_first(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guests = paper()
    times = {"ICMP": 0.02, "TCP": 0.02, "UDP": 0.02, "neighbour": 0.02, "broadcast": 0.02, "multicast": 0.02}
    for module in ("judge_reachability", "observable"):
        monkeypatch.setattr(f"livenad.reachability.{module}.quickest_of", lambda series: times[series.protocol])
    reach(guests)
    times[kind] = 0.16
    reach(guests)
    times[kind] = 0.18
    with pytest.raises(
        ProductFault,
        match=rf"{kind} vm → new-peer should come at most 0.15 s later than the first ones of this NIC \(0.02 s\), "
        r"but the quickest of \d+ came after 0.18 s",
    ):
        reach(guests)


@pytest.mark.usefixtures("at_once")
def test_pod_network_must_carry_what_it_carried_before_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "POD_NETWORK_LOOK", 0.3)
    guests = paper()
    measured = cast(Measurements, guests)
    guests.let(lambda kind, source, target: (kind, source) != ("UDP", "vm"))
    assert checks.check_pod_network(measured, "vm", "new-peer", 0.3).said.startswith("by TCP after")
    checks.check_pod_network(measured, "vm", "new-peer", 0.3, before_change=True)
    assert checks.check_pod_network(measured, "vm", "new-peer", 0.3).said.startswith("by TCP, ICMP, UDP, full-size UDP")
    lost = [("ICMP", "new-peer")]
    guests.let(lambda kind, source, target: (kind, source) not in lost)
    with pytest.raises(ProductFault, match=r"within 0.3 s; ICMP new-peer → vm \(10.244.0.1\): 0 of"):
        checks.check_pod_network(measured, "vm", "new-peer", 0.3)
    lost[:] = [("TCP", "new-peer")]
    with pytest.raises(ProductFault, match=r"within 0.3 s; TCP new-peer → vm \(10.244.0.1\): 0 of"):
        checks.check_pod_network(measured, "vm", "new-peer", 0.3)


@pytest.mark.usefixtures("at_once")
def test_late_answers_of_a_busy_guest_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    guests = paper()
    reach(guests)
    lengths: list[int] = []

    def late_at_first(series: Sequence[Series], times: Mapping[str, float]) -> list[Series]:
        lengths.extend(len(one.samples) for one in series if one.protocol == "UDP" and one.source == "vm")
        return [one for one in series if one.protocol == "UDP" and len(lengths) < 3]

    monkeypatch.setattr(checks, "late", late_at_first)
    checks.check_reach(cast(Measurements, guests), "vm", "new-peer", nic="secondary", within=20)
    assert lengths[0] < lengths[1] < lengths[2]


@pytest.mark.usefixtures("at_once")
def test_pod_network_must_not_become_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "POD_NETWORK_LOOK", 0.3)
    measured, times = cast(Measurements, paper()), {"vm": 0.02}
    for module in ("judge_reachability", "checks"):
        monkeypatch.setattr(f"livenad.reachability.{module}.quickest_of", lambda series: times.get(series.source, 0.01))
    checks.check_pod_network(measured, "vm", "new-peer", 0.3, before_change=True)
    checks.check_pod_network(measured, "vm", "new-peer", 0.3)
    times["vm"] = 0.4
    with pytest.raises(ProductFault, match=r"than before the change on the pod network \(0.02 s\), but the quickest"):
        checks.check_pod_network(measured, "vm", "new-peer", 0.3)
