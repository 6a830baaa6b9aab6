# SPDX-License-Identifier: Apache-2.0
"""The dead are told from the living by what was seen of their leases, whatever clocks say."""

from __future__ import annotations

import pytest
from livenad.ownership.lease_liveness import LEASE_SECONDS, LeaseLiveness

from tests.unit.support.fake_api import Object


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lease(renewed: str, *, uid: str = "u1", lasts: object = LEASE_SECONDS, name: str = "run") -> Object:
    spec = {"holderIdentity": "other", "renewTime": renewed, "leaseDurationSeconds": lasts}
    return {"metadata": {"namespace": "ns", "name": name, "uid": uid}, "spec": spec}


@pytest.mark.parametrize("renewed", ["1999-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"])
def test_lease_is_dead_when_it_was_the_same_for_its_whole_duration(clock: Clock, renewed: str) -> None:
    liveness = LeaseLiveness(clock)
    seen = []
    for _ in range(8):
        seen.append(liveness.is_expired(lease(renewed)))
        clock.now += 5
    assert seen == [False] * 6 + [True] * 2


@pytest.mark.circumstance(
    "the clock of another machine is wrong",
    topic="others",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("skew", [-86400, 0, 86400])
def test_lease_that_is_renewed_lives_however_wrong_its_holders_clock_is(clock: Clock, skew: int) -> None:
    liveness = LeaseLiveness(clock)
    for turn in range(40):
        assert not liveness.is_expired(lease(f"{skew + turn // 4}"))
        clock.now += 5


def test_time_that_nobody_looked_does_not_count(clock: Clock) -> None:
    liveness = LeaseLiveness(clock)
    assert not liveness.is_expired(lease("T1"))
    clock.now += 3600
    assert liveness.seconds_left(lease("T1")) == 20
    clock.now += 3600
    assert liveness.seconds_left(lease("T1")) == 10


def test_another_lease_of_that_name_begins_anew(clock: Clock) -> None:
    liveness = LeaseLiveness(clock)
    for _ in range(7):
        dead = liveness.is_expired(lease("T1"))
        clock.now += 5
    assert dead
    assert not liveness.is_expired(lease("T1", uid="u2"))


@pytest.mark.parametrize(("lasts", "left"), [(8, 8), (None, 30), (0, 30), ("long", 30), (10**9, 600)])
def test_duration_is_the_leases_own_where_it_makes_sense(clock: Clock, lasts: object, left: float) -> None:
    assert LeaseLiveness(clock).seconds_left(lease("T1", lasts=lasts)) == left


def test_run_that_renews_one_of_its_leases_lives_with_all_of_them(clock: Clock) -> None:
    liveness = LeaseLiveness(clock)
    for turn in range(20):
        assert not liveness.is_expired(lease("T1", name="starved")), turn
        liveness.look(lease(f"T{turn // 4}", name="renewed"))
        clock.now += 5
    expired = []
    for _ in range(8):
        liveness.look(lease("T4", name="renewed"))
        expired.append(liveness.is_expired(lease("T1", name="starved")))
        clock.now += 5
    assert expired == [False] * 2 + [True] * 6, "30 s after the last renewal, of which 20 s are over"
