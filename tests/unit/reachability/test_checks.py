# SPDX-License-Identifier: Apache-2.0
"""The reachability checks on guests of paper: who is named, whose fault it is, for everything that may be wrong."""

from __future__ import annotations

from typing import cast

import pytest
from livenad.errors import LabError, ProductFault, TestError
from livenad.guest.shells import CommandLost, GuestUnreachable
from livenad.reachability import checks as reachability
from livenad.reachability.measurements import Measurements
from livenad.reachability.windows import Between

from tests.unit.support.paper import NEW, OLD, VM, Answers, PaperGuests, PaperShell, guests, swapped

OLD_WITNESSED, NEW_WITNESS = "10.11.0.11", "10.11.0.12"
OLD_SILENCE = Between("vm", "old-peer", "secondary", "new-peer")
NEW_OWN = "10.12.0.12"

pytestmark = pytest.mark.usefixtures("at_once")


def silence(answers: Answers, **errors: LabError) -> None:
    reachability.check_silence(guests(answers, **errors), OLD_SILENCE, 5.0)


def reach(answers: Answers, **errors: LabError) -> None:
    reachability.check_reach(guests(answers, **errors), "vm", "new-peer", nic="secondary", within=0.3)


def test_good_swap_is_reachable_and_silent() -> None:
    reach(swapped)
    silence(swapped)


def test_measurements_are_kept_for_the_chart() -> None:
    paper = guests(swapped)
    reachability.check_silence(paper, OLD_SILENCE, 5.0)
    (run,) = paper.measured
    assert len(run.series) == 12 + 6 * 4
    assert all(series.samples for series in run.series.values())


def test_a_watch_is_judged_once_by_the_check_that_it_was_opened_for() -> None:
    links = {"up": True}
    paper = guests(lambda source, target: links["up"] and swapped(source, target))
    reachability.watch_for_silence(paper, OLD_SILENCE, 5.0)
    reachability.check_silence(paper, OLD_SILENCE, 5.0)
    (first,) = paper.measured
    links["up"] = False
    with pytest.raises(LabError, match="proves nothing"):
        reachability.check_silence(paper, OLD_SILENCE, 5.0)
    assert paper.measured[-1] is not first


def test_a_second_window_decides_what_the_lab_left_open() -> None:
    paper = guests(lambda source, target: bool(paper.measured) and swapped(source, target))
    reachability.check_silence(paper, OLD_SILENCE, 5.0)
    assert len(paper.measured) == 2


def test_a_second_window_decides_of_a_nic_that_came_to_life_late() -> None:
    def plugged_in_late(source: str, target: str) -> bool:
        return swapped(source, target) and (bool(paper.measured) or source != "vm")

    paper = guests(plugged_in_late)
    reachability.check_silence(paper, OLD_SILENCE, 5.0)
    assert len(paper.measured) == 2


def test_a_second_window_is_the_last_and_no_answer_is_forgiven() -> None:
    paper = guests(lambda *_: False)
    with pytest.raises(LabError, match="proves nothing"):
        reachability.check_silence(paper, OLD_SILENCE, 5.0)
    assert len(paper.measured) == 2
    heard = guests(lambda *_: not heard.measured)
    with pytest.raises(ProductFault, match="answers came"):
        reachability.check_silence(heard, OLD_SILENCE, 5.0)
    assert len(heard.measured) == 1


def test_a_watch_that_is_too_short_is_not_judged() -> None:
    paper = guests(swapped)
    reachability.watch_for_silence(paper, OLD_SILENCE, 1.0)
    reachability.check_silence(paper, OLD_SILENCE, 5.0)
    (run,) = paper.measured
    assert max(sample.asked for series in run.series.values() for sample in series.samples) > run.began + 3


def test_a_guest_that_cannot_be_watched_is_told_by_the_check() -> None:
    paper = guests(swapped, old_peer=LabError("dead"))
    reachability.watch_for_silence(paper, OLD_SILENCE, 5.0)
    with pytest.raises(LabError, match="cannot be judged: dead"):
        reachability.check_silence(paper, OLD_SILENCE, 5.0)


def test_nic_still_on_the_old_network() -> None:
    def stayed(source: str, target: str) -> bool:
        return not ({source, target} >= {"vm", NEW} or (source == "new-peer" and target == VM))

    with pytest.raises(
        ProductFault, match=r"not reached: ICMP vm → new-peer \(10.10.0.12\): 0 of \d+ answered"
    ) as info:
        reach(stayed)
    assert str(info.value).startswith('VM demo/vm on node-2: NIC "secondary" (10.10.0.10) and new-peer (10.10.0.12)')
    with pytest.raises(
        ProductFault,
        match=r"answers came: ICMP vm → old-peer .*; in the same window new-peer was not reached through NIC ",
    ):
        silence(stayed)


def test_nic_on_both_networks() -> None:
    reach(lambda *_: True)
    with pytest.raises(ProductFault, match=r'in the same window new-peer was reached through NIC "[a-z0-9]+" as well'):
        silence(lambda *_: True)


def test_previous_network_reachable_from_the_peer_only() -> None:
    with pytest.raises(
        ProductFault, match=r"answers came: ICMP old-peer → vm \(10.10.0.10\): 25 of 25 answered, first"
    ):
        silence(lambda source, target: target != OLD)


def test_one_way_network_names_what_is_reached() -> None:
    with pytest.raises(ProductFault, match="reached: ICMP new-peer → vm, TCP new-peer → vm"):
        reach(lambda source, target: source != "vm")


def test_vm_that_reaches_nothing() -> None:
    def cut_off(source: str, target: str) -> bool:
        return source != "vm" and target != VM

    with pytest.raises(
        ProductFault, match=r"silence proves nothing.*new-peer itself is alive: ICMP old-peer → new-peer"
    ):
        silence(cut_off)


def test_dead_nic_of_the_peer_is_the_labs_fault() -> None:
    def dead(source: str, target: str) -> bool:
        return source != "old-peer" and target not in (OLD, OLD_WITNESSED)

    with pytest.raises(LabError, match="the probed NIC of old-peer does not answer its witness new-peer either"):
        silence(dead)


def test_dead_control_is_the_labs_fault() -> None:
    with pytest.raises(LabError, match="the control new-peer answers neither of them"):
        silence(lambda source, target: swapped(source, target) and target not in (NEW, NEW_OWN))


@pytest.mark.parametrize("guest", ["vm", "old_peer", "new_peer"])
@pytest.mark.parametrize("error", [GuestUnreachable("guest is dead"), CommandLost("guest is dead")])
def test_guest_that_cannot_be_asked_is_the_labs_fault(guest: str, error: LabError) -> None:
    with pytest.raises(
        LabError, match=r"LAB ERROR: whether NIC .* are silent to each other cannot be judged: guest is dead"
    ):
        silence(swapped, **{guest: error})


def test_dead_peer_is_no_fault_of_reachability() -> None:
    with pytest.raises(LabError, match="cannot be judged: guest is dead"):
        reach(swapped, new_peer=GuestUnreachable("guest is dead"))


def test_unknown_nic_lists_those_there_are() -> None:
    with pytest.raises(TestError, match=r'^TEST ERROR: VM demo/vm has no NIC "third"; it has: .*secondary'):
        reachability.check_reach(guests(swapped), "vm", "new-peer", nic="third", within=1)


def test_pod_network() -> None:
    reachability.check_pod_network(guests(swapped), "vm", "new-peer", 0.3)
    with pytest.raises(ProductFault, match=r"its pod network should reach new-peer \(10.244.0.3\) by TCP within 0.3 s"):
        reachability.check_pod_network(guests(lambda *_: False), "vm", "new-peer", 0.3)


def test_pod_network_that_lets_nobody_in() -> None:
    paper = PaperGuests(swapped)
    refused = PaperShell("vm", swapped, GuestUnreachable("no session within 0.3 s"))
    paper.new_ssh = {"vm": refused, "new-peer": PaperShell("new-peer", swapped)}.__getitem__
    with pytest.raises(
        ProductFault, match=r"should open within 0.3 s; no session .*, while the guest answers on its console"
    ):
        reachability.check_pod_network(cast(Measurements, paper), "vm", "new-peer", 0.3)
    paper.new_ssh = {"vm": refused, "new-peer": refused}.__getitem__
    with pytest.raises(LabError, match="cannot be judged: new-peer is not reached either; no session"):
        reachability.check_pod_network(cast(Measurements, paper), "vm", "new-peer", 0.3)
    paper.console = {"vm": refused}.__getitem__
    with pytest.raises(LabError, match="no session"):
        reachability.check_pod_network(cast(Measurements, paper), "vm", "new-peer", 0.3)


def test_a_watch_that_is_shorter_than_asked_for_is_no_measurement() -> None:
    paper = guests(swapped)
    reachability.watch_for_silence(paper, OLD_SILENCE, 4.0)
    short = paper.watches[OLD_SILENCE]
    reachability.check_silence(paper, OLD_SILENCE, 5.0)
    assert [run.began for run in paper.measured] != [short.window.began]
