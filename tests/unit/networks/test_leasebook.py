# SPDX-License-Identifier: Apache-2.0
"""Leases that several runs want: taken, taken over from the dead, renewed, lost, given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from livenad.api.client import Cluster
from livenad.errors import LabError
from livenad.networks.leasebook import SUITE, VLAN, LeaseBook, holder_text, lease_name
from livenad.ownership.lease_liveness import LeaseLiveness
from livenad.ownership.leases import LeaseKeeper

from tests.unit.support.fake_api import FakeApi, Fault, Seen
from tests.unit.support.leases import DEAD, SHELF, book_of, names_of, put_lease, put_namespace

NAME = lease_name("br1", 100)


@pytest.fixture
def ours(cluster: Cluster) -> Iterator[tuple[LeaseBook, LeaseKeeper]]:
    book, keeper = book_of(cluster, "r1")
    yield book, keeper
    keeper.stop()


@pytest.fixture
def book(ours: tuple[LeaseBook, LeaseKeeper]) -> LeaseBook:
    return ours[0]


def holder(api: FakeApi, name: str = NAME) -> str:
    return str(api.objects[SHELF, name]["spec"]["holderIdentity"])


def test_lease_that_nobody_has_is_taken(api: FakeApi, book: LeaseBook) -> None:
    assert book.take(NAME, VLAN, "VLAN 100 of br1") is None
    assert holder(api) == "r1"
    assert api.objects[SHELF, NAME]["metadata"]["labels"]["kubevirt-nad-tests/lease"] == "vlan"
    assert book.holds(NAME)


def test_lease_of_a_living_run_is_left_and_given(api: FakeApi, book: LeaseBook) -> None:
    put_lease(api, NAME, "other", VLAN, renewed=900)
    found = book.take(NAME, VLAN, "VLAN 100 of br1")
    assert found is not None
    assert holder_text(found) == "run other (ann@desk)"
    assert (holder(api), book.holds(NAME)) == ("other", False)


def test_lease_of_a_dead_run_is_taken_over(api: FakeApi, book: LeaseBook) -> None:
    put_lease(api, NAME, "dead", VLAN, lasts=DEAD)
    book.watch_for_expired()
    assert book.take(NAME, VLAN, "VLAN 100 of br1", from_expired=False) is not None
    assert book.take(NAME, VLAN, "VLAN 100 of br1") is None
    assert holder(api) == "r1"
    assert api.objects[SHELF, NAME]["metadata"]["labels"]["kubevirt-nad-tests/run"] == "r1"


def test_dead_run_that_renews_after_all_keeps_its_lease(api: FakeApi, book: LeaseBook) -> None:
    put_lease(api, NAME, "late", VLAN, lasts=DEAD)
    book.watch_for_expired()
    api.once["PATCH"] = lambda: put_lease(api, NAME, "late", VLAN, renewed=900)
    assert book.take(NAME, VLAN, "VLAN 100 of br1") is not None
    assert api.requests("PATCH", NAME)
    assert holder(api) == "late"


def test_guard_of_the_take_over_is_the_version_that_was_read(api: FakeApi, book: LeaseBook) -> None:
    put_lease(api, NAME, "dead", VLAN, lasts=DEAD)
    book.watch_for_expired()
    version = api.objects[SHELF, NAME]["metadata"]["resourceVersion"]
    book.take(NAME, VLAN, "VLAN 100 of br1")
    (patch,) = api.requests("PATCH", NAME)
    assert patch.body[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": version}


def test_two_runs_that_want_a_dead_ones_lease_do_not_both_get_it(api: FakeApi, cluster: Cluster) -> None:
    put_lease(api, NAME, "dead", VLAN, lasts=DEAD)
    book_of(cluster, "r9")[0].watch_for_expired()
    runs = [book_of(cluster, f"r{number}") for number in range(6)]
    got: list[str] = []

    def take(book: LeaseBook) -> None:
        if book.take(NAME, VLAN, "VLAN 100 of br1") is None:
            got.append(book.run_id)

    threads = [threading.Thread(target=take, args=(book,)) for book, _ in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, keeper in runs:
        keeper.stop()
    assert got == [holder(api)]


def test_lost_answer_of_a_create_is_no_loss(api: FakeApi, book: LeaseBook) -> None:
    api.faults.append(Fault("POST", SHELF, after=True))
    assert book.take(NAME, VLAN, "VLAN 100 of br1") is None


def test_taken_leases_are_renewed(api: FakeApi, book: LeaseBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.ownership.leases.RENEW_SECONDS", 0.05)
    book.take(NAME, VLAN, "VLAN 100 of br1")
    first = api.objects[SHELF, NAME]["spec"]["renewTime"]
    with api.condition:
        assert api.condition.wait_for(lambda: api.objects[SHELF, NAME]["spec"]["renewTime"] > first, 5)


@pytest.mark.circumstance(
    "the API server leaves one renewal of a lease without an answer",
    topic="others",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_renewal_that_hangs_delays_no_other(
    api: FakeApi, cluster: Cluster, book: LeaseBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livenad.ownership.leases.RENEW_SECONDS", 0.05)
    monkeypatch.setattr("livenad.ownership.leases._ANSWER_SECONDS", 0.5)
    hung = lease_name("br1", 101)
    api.hanging.add(hung)
    book.take(hung, VLAN, "VLAN 101 of br1")
    book.take(NAME, VLAN, "VLAN 100 of br1")
    with api.condition:
        assert api.condition.wait_for(lambda: len(patches(api, hung)) == 1, 5)
        before = len(patches(api, NAME))
        assert api.condition.wait_for(lambda: len(patches(api, NAME)) >= before + 4, 5)
        assert len(patches(api, hung)) == 1, "the other lease was renewed while this one hung"
        assert api.condition.wait_for(lambda: len(patches(api, hung)) == 2, 5), "it is given up, and tried again"
        api.hanging.clear()
        api.condition.notify_all()


def patches(api: FakeApi, name: str) -> list[Seen]:
    return [seen for seen in api.seen if seen.verb == "PATCH" and seen.path.endswith(name)]


def test_renewal_that_breaks_in_an_unknown_way_ends_no_other(
    api: FakeApi, book: LeaseBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livenad.ownership.leases.RENEW_SECONDS", 0.02)
    broken = iter([RuntimeError("out of file descriptors"), MemoryError()])
    renew = LeaseKeeper._renew

    def sometimes(keeper: LeaseKeeper, cluster: Cluster, place: tuple[str, str]) -> None:
        if (error := next(broken, None)) is not None:
            raise error
        renew(keeper, cluster, place)

    monkeypatch.setattr(LeaseKeeper, "_renew", sometimes)
    book.take(NAME, VLAN, "VLAN 100 of br1")
    with api.condition:
        assert api.condition.wait_for(lambda: len(patches(api, NAME)) >= 2, 5)


def test_run_is_aborted_only_when_every_lease_of_it_has_expired(
    api: FakeApi, cluster: Cluster, book: LeaseBook
) -> None:
    now = [0.0]
    LeaseLiveness._known[cluster] = LeaseLiveness(lambda: now[0])
    put_lease(api, NAME, "other", SUITE, lasts=10)
    put_lease(api, "long", "other", VLAN, lasts=40)
    taken = []
    for now[0] in range(0, 70, 5):
        taken.append(book.take(NAME, SUITE, "a suite") is None)
    # It is read alone until it has expired; from then on the other one is watched, too.
    assert taken == [False] * 10 + [True] * 4


def test_lease_that_went_to_another_run_is_told_once_and_left_to_it(
    api: FakeApi, ours: tuple[LeaseBook, LeaseKeeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livenad.ownership.leases.RENEW_SECONDS", 0.05)
    book, keeper = ours
    book.take(NAME, VLAN, "VLAN 100 of br1")
    put_lease(api, NAME, "other", VLAN, renewed=0)
    limit = time.monotonic() + 5
    while book.holds(NAME) and time.monotonic() < limit:
        with api.condition:
            api.condition.wait(0.05)
    assert keeper.lost() == [f"Lease default/{NAME} was not renewed in time and was taken by another run"]
    assert keeper.lost() == []
    book.give_back(NAME)
    assert holder(api) == "other"


def test_given_back_lease_is_gone(api: FakeApi, book: LeaseBook) -> None:
    book.take(NAME, VLAN, "VLAN 100 of br1")
    book.give_back(NAME)
    assert (names_of(api), book.holds(NAME)) == (set(), False)


def test_leases_of_dead_runs_are_cleared_unless_their_guests_may_be_there(api: FakeApi, book: LeaseBook) -> None:
    put_lease(api, "gone", "dead", VLAN, lasts=DEAD)
    put_lease(api, "haunted", "killed", VLAN, lasts=DEAD)
    put_lease(api, "over", "killed", SUITE, lasts=DEAD)
    put_lease(api, "fresh", "living", VLAN, lasts=DEAD)
    put_namespace(api, "nad-swap-killed-1", "killed")
    assert book.remove_expired() == []
    book.watch_for_expired()
    put_lease(api, "fresh", "living", VLAN, lasts=DEAD, renewed=900)
    assert sorted(book.remove_expired()) == ["gone", "over"]
    assert names_of(api) == {"haunted", "fresh"}


def test_lease_that_is_renewed_meanwhile_is_not_cleared(api: FakeApi, book: LeaseBook) -> None:
    put_lease(api, "late", "late", VLAN, lasts=DEAD)
    put_namespace(api, "nad-swap-other-1", "other")
    book.watch_for_expired()
    api.faults.append(Fault("DELETE", "late", 409))
    assert book.remove_expired() == []
    assert names_of(api) == {"late"}


def test_missing_right_is_told_with_the_variable(api: FakeApi, book: LeaseBook) -> None:
    api.forbidden.add(("POST", "leases"))
    with pytest.raises(LabError) as caught:
        book.take(NAME, VLAN, "VLAN 100 of br1")
    message = str(caught.value)
    assert 'no right to use leases in namespace "default"' in message
    assert "set variable LEASE_NAMESPACE to a namespace in which all runs have it" in message


def test_namespace_that_does_not_exist_is_told_with_the_variable(api: FakeApi, book: LeaseBook) -> None:
    api.faults.append(Fault("POST", SHELF, 404))
    with pytest.raises(LabError, match='variable LEASE_NAMESPACE is "default"; expected an existing namespace'):
        book.take(NAME, VLAN, "VLAN 100 of br1")


@pytest.mark.parametrize(("one", "other"), [("br_1", "br-1"), ("BR1", "br1"), ("br.1", "br-1")])
def test_bridges_that_a_name_cannot_tell_apart_have_leases_of_their_own(one: str, other: str) -> None:
    assert lease_name(one, 7) != lease_name(other, 7)
    assert lease_name(one, 7) == lease_name(one, 7)
    assert lease_name("br1", 100) == "kubevirt-nad-tests-br1-100"


def test_renewal_under_way_keeps_no_lease_from_being_given_back(api: FakeApi, book: LeaseBook) -> None:
    assert book.take(NAME, VLAN, "VLAN 100 of br1") is None
    lease = dict(api.objects[SHELF, NAME])

    def renew() -> None:
        api.put(SHELF, {**lease, "spec": {**lease["spec"], "renewTime": "2026-01-01T00:00:00Z"}})

    api.once["DELETE"] = renew
    book.give_back(NAME)
    assert (SHELF, NAME) not in api.objects
