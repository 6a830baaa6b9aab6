# SPDX-License-Identifier: Apache-2.0
"""Silence between two guests of paper without a third: what proves it, and what leaves it open."""

from __future__ import annotations

from itertools import count
from typing import cast

import pytest
from livenad.errors import LabError, ProductFault
from livenad.model import CommandResult, Nic, VmRecord
from livenad.reachability import pair_silence
from livenad.reachability.measurements import Measurements
from livenad.reachability.windows import Between

from tests.unit.support.paper import Answers, PaperGuests, PaperShell
from tests.unit.support.topology import nic, vm

SILENT = Between("vm", "peer", "secondary", "")
VM, PEER = "10.10.0.10", "10.10.0.11"
POD = {"vm": "10.244.0.1", "peer": "10.244.0.2"}
SHARED = {"vm": "10.13.0.10", "peer": "10.13.0.11"}

pytestmark = pytest.mark.usefixtures("at_once")


class LinkedShell(PaperShell):
    """Tells of the link of its silent NIC as well, each time with three more frames sent."""

    def __init__(self, guest: str, answers: Answers, address: str) -> None:
        super().__init__(guest, answers)
        self.link = "LINK net1 1 {sent} 0\nADDRESS " + address
        self._sent = count(10, 3)

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        if "# link of a NIC" in command:
            return CommandResult(command, 0, self.link.format(sent=next(self._sent)), "", 0)
        return super().run(command, timeout, check=check, repeatable=repeatable)


class TwoGuests(PaperGuests):
    """A VM and its peer, on the pod network where they have it, and on a second shared network where told."""

    def __init__(self, answers: Answers, *, pod_network: bool = True, shared: bool = False) -> None:
        super().__init__(answers)
        self._records = {
            "vm": guest("vm", 1, VM, pod_network, shared),
            "peer": guest("peer", 5, PEER, pod_network, shared),
        }
        self.shells = {name: LinkedShell(name, answers, {"vm": VM, "peer": PEER}[name]) for name in self._records}
        self.record = self._records.__getitem__
        self.shell = self.shells.__getitem__
        self.pair_watches: dict[Between, object] = {}

    def pod_address(self, name: str) -> str:
        return POD[name]


def guest(name: str, mac: int, address: str, pod_network: bool, shared: bool) -> VmRecord:
    nics: list[Nic] = [nic("secondary" if name == "vm" else "main", "blue", mac, f"{address}/24")]
    if pod_network:
        nics.append(nic("default", None, mac + 1))
    if shared:
        nics.append(nic("other", "other", mac + 2, f"{SHARED[name]}/24"))
    return vm(name, *nics)


def alive(_: str, target: str) -> bool:
    return target not in (VM, PEER)


def check(paper: TwoGuests) -> str:
    return pair_silence.check_pair_silence(cast(Measurements, paper), SILENT, 5.0).said


def test_the_pod_network_is_control_enough() -> None:
    said = check(TwoGuests(alive))
    assert said.startswith("0 of ")
    assert "; over the pod network 20 of 20 requests answered; " in said
    assert said.endswith(
        'vm: "secondary" is net1, carrier up, 3 frames sent and 0 received; '
        'peer: "main" is net1, carrier up, 3 frames sent and 0 received'
    )


def test_a_network_that_both_share_comes_before_the_pod_network() -> None:
    paper = TwoGuests(alive, shared=True)
    assert "; over 10.13.0.0/24 " in check(paper)
    asked = {series.address for run in paper.measured for series in run.series.values()}
    assert asked == {VM, PEER, *SHARED.values()}


def test_one_answer_breaks_the_silence() -> None:
    with pytest.raises(ProductFault, match=r'^VM demo/vm on node-2: NIC "secondary" .* answers came: ICMP peer'):
        check(TwoGuests(lambda source, target: (source, target) == ("peer", VM) or alive(source, target)))


def test_without_another_network_nothing_is_proven() -> None:
    with pytest.raises(LabError, match="they share no other network"):
        check(TwoGuests(alive, pod_network=False))


@pytest.mark.parametrize("deaf", ["vm", "peer"])
def test_another_network_that_works_one_way_proves_nothing(deaf: str) -> None:
    paper = TwoGuests(lambda source, target: source != deaf and alive(source, target))
    with pytest.raises(LabError, match="proves nothing: they do not reach each other both ways over another network"):
        check(paper)
    assert len(paper.measured) == 2, "a second window decides"


@pytest.mark.parametrize("name", ["vm", "peer"])
@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("", "no interface of the guest had the MAC"),
        ("LINK net1 0 {sent} 0\nADDRESS " + VM, "had no carrier at the beginning"),
        ("LINK net1 1 {sent} 0\nADDRESS 10.9.9.9", "did not have the address"),
        ("LINK net1 1 7 0\nADDRESS " + VM + "\nADDRESS " + PEER, "sent no frame in the window"),
    ],
)
def test_a_nic_that_is_not_alive_proves_nothing(name: str, link: str, said: str) -> None:
    paper = TwoGuests(alive)
    paper.shells[name].link = link
    with pytest.raises(LabError, match=f"was silent to peer, which proves nothing: {name}: .*{said}"):
        check(paper)


def test_a_window_that_was_opened_before_is_judged_once() -> None:
    paper = TwoGuests(alive)
    pair_silence.watch_pair_for_silence(cast(Measurements, paper), SILENT, 5.0)
    check(paper)
    assert not paper.pair_watches
    assert len(paper.measured) == 1


def test_a_watch_that_is_too_short_is_not_judged() -> None:
    paper = cast(Measurements, TwoGuests(lambda source, target: target in POD.values()))
    pair_silence.watch_pair_for_silence(paper, SILENT, 4.0)
    short = paper.pair_watches[SILENT]
    pair_silence.check_pair_silence(paper, SILENT, 5.0)
    assert [run.began for run in paper.measured] != [short.window.began]
