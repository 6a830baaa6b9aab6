# SPDX-License-Identifier: Apache-2.0
"""How much a network loses, with guests on paper: each ping is answered or not as the test says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from livenad.errors import LabError, ProductFault
from livenad.guest.shells import GuestUnreachable
from livenad.packet_loss import judge_loss, stream
from livenad.packet_loss.stream import check_loss, watch_for_loss
from livenad.reachability.probes import ProbeRun
from livenad.reachability.samples import Loss, Sample, Series, lost
from livenad.reachability.windows import Between

from tests.unit.support.paper import PaperGuests, guests

BETWEEN = Between("vm", "new-peer", "secondary", "old-peer")

pytestmark = pytest.mark.usefixtures("at_once")


def losing(share: int, *who: str) -> PaperGuests:
    """Guests that lose each n-th ping on these paths."""
    numbers = {name: count(1) for name in who}
    return PaperGuests(lambda source, _: source not in numbers or next(numbers[source]) % share != 0)


def check(paper: PaperGuests, limit: int = 10) -> ProbeRun:
    return check_loss(paper, BETWEEN, 5.0, limit)  # type: ignore[arg-type]


def test_a_network_that_loses_nothing_or_little_is_good() -> None:
    run = check(losing(20, "vm", "new-peer"))
    assert [series.protocol for series in run.series.values()] == ["ICMP"] * 2
    # Ten a second, as far as the stream is judged.
    assert all(len(series.samples) >= 30 for series in run.series.values())


def test_a_network_that_loses_a_third_is_the_products_fault() -> None:
    with pytest.raises(ProductFault, match=r"should lose at most 10 % of pings .LOSS_LIMIT., but lost 3\d %; ICMP vm"):
        check(losing(3, "vm", "new-peer"))


def test_loss_counts_both_ways_together() -> None:
    with pytest.raises(ProductFault, match=r"but lost 1\d %"):
        check(losing(4, "new-peer"))
    check(losing(4, "new-peer"), limit=15)


def test_a_network_that_loses_as_much_without_the_vm_is_the_labs_fault() -> None:
    with pytest.raises(LabError, match=r"and the control old-peer and new-peer 3\d %"):
        check(losing(3, "vm", "new-peer", "old-peer"))


def test_a_guest_that_cannot_be_asked_is_the_labs_fault() -> None:
    with pytest.raises(LabError, match=r"cannot be judged: .*gone"):
        check_loss(guests(lambda *_: True, vm=GuestUnreachable("gone")), BETWEEN, 5.0, 10)


def test_without_a_control_only_a_loss_cannot_be_judged() -> None:
    numbers = count(1)
    lossy = guests(lambda *_: next(numbers) % 3 != 0, old_peer=GuestUnreachable("gone"))
    with pytest.raises(
        LabError, match=r"lose 3\d % between them, and the packet loss of the control old-peer is unknown"
    ):
        check_loss(lossy, BETWEEN, 5.0, 10)
    check_loss(guests(lambda *_: True, old_peer=GuestUnreachable("gone")), BETWEEN, 5.0, 10)


def test_a_stream_is_judged_once() -> None:
    paper = losing(20, "vm")
    watch_for_loss(paper, BETWEEN, 5.0)  # type: ignore[arg-type]
    check(paper)
    assert not paper.streams


def test_requests_whose_answer_may_be_on_its_way_do_not_count() -> None:
    samples = tuple(Sample(at, at, at < 6) for at in range(10))
    series = Series("a", "b", "10.0.0.1", "ICMP", samples)
    early, all_of_it = lost([series], 5), lost([series], 9)
    assert early is not None
    assert early.percent == 0
    assert all_of_it is not None
    assert all_of_it.percent == 40
    assert lost([series], 3) is None
    assert lost([], 9) is None


def test_pings_whose_answers_may_still_come_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    def counting(series: Sequence[Series], until: float) -> Loss | None:
        counted.append(max(sample.asked for one in series for sample in one.samples) - until)
        return lost(series, until)

    monkeypatch.setattr(judge_loss, "lost", counting)
    check(PaperGuests(lambda *_: True))
    assert all(left == pytest.approx(stream.ANSWER_TIME, abs=0.3) for left in counted)
