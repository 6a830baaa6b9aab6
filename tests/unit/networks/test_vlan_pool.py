# SPDX-License-Identifier: Apache-2.0
"""The pool of VLANs: what one run has, no other gets."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import NAMESPACE
from livenad.errors import LabError
from livenad.networks.leasebook import VLAN, lease_name
from livenad.networks.vlan_pool import PoolExhausted, VlanPool

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.leases import DEAD, book_of, names_of, put_lease, put_namespace, renewing


@pytest.fixture
def pool(cluster: Cluster) -> Iterator[VlanPool]:
    book, keeper = book_of(cluster, "r1")
    yield VlanPool(book, [100, 101, 102])
    keeper.stop()


def test_each_network_gets_a_vlan_of_its_own(pool: VlanPool) -> None:
    assert [str(pool.lease("br1", "ns-1")) for _ in range(3)] == [
        "VLAN 100 of br1",
        "VLAN 101 of br1",
        "VLAN 102 of br1",
    ]


def test_vlans_of_other_runs_are_passed_over(api: FakeApi, pool: VlanPool) -> None:
    put_lease(api, lease_name("br1", 100), "other", VLAN)
    assert pool.lease("br1", "ns-1").vlan == 101


def test_another_bridge_gets_a_vlan_that_is_not_used_elsewhere_while_there_is_one(pool: VlanPool) -> None:
    pool.lease("br1", "ns-1")
    assert [pool.lease("br2", "ns-1").vlan for _ in range(3)] == [101, 102, 100]


def test_same_vlan_can_be_asked_for_on_the_same_bridge_and_on_another(api: FakeApi, pool: VlanPool) -> None:
    first = pool.lease("br1", "ns-1")
    assert pool.lease_same("br1", first.vlan, "ns-1") == first
    assert pool.lease_same("br2", first.vlan, "ns-1").vlan == first.vlan
    assert names_of(api) == {"kubevirt-nad-tests-br1-100", "kubevirt-nad-tests-br2-100"}


def test_same_vlan_that_another_run_has_is_refused(api: FakeApi, pool: VlanPool) -> None:
    with (
        renewing(api, lease_name("br2", 100), "other", VLAN),
        pytest.raises(LabError, match=r"VLAN 100 of br2 is used by run other \(ann@desk\)"),
    ):
        pool.lease_same("br2", pool.lease("br1", "ns-1").vlan, "ns-1")


def test_same_vlan_that_a_dead_run_had_is_used_once_its_guests_are_gone(api: FakeApi, pool: VlanPool) -> None:
    put_lease(api, lease_name("br2", 100), "killed", VLAN, lasts=DEAD)
    put_namespace(api, "nad-swap-killed-1", "killed")
    vlan = pool.lease("br1", "ns-1").vlan
    with pytest.raises(LabError, match="VLAN 100 of br2 is used by run killed"):
        pool.lease_same("br2", vlan, "ns-1")
    api.remove(NAMESPACE.path(), "nad-swap-killed-1")
    assert pool.lease_same("br2", vlan, "ns-1").vlan == vlan


def test_exhausted_pool_names_itself_its_holders_and_the_remedy(api: FakeApi, pool: VlanPool) -> None:
    put_lease(api, lease_name("br1", 101), "killed", VLAN, lasts=DEAD)
    put_namespace(api, "nad-swap-killed-1", "killed")
    pool.lease("br1", "ns-1")
    pool.lease("br1", "ns-2")
    pool.give_back(lambda namespace: namespace == "ns-1")
    with renewing(api, lease_name("br1", 100), "other", VLAN), pytest.raises(PoolExhausted) as caught:
        pool.lease("br1", "ns-2")
    message = str(caught.value)
    assert message.startswith("LAB ERROR: no VLAN of br1 is free: all of the pool VLANS=100-102 are leased")
    assert "100 by run other (ann@desk)" in message
    assert "101 by run killed (ann@desk), which was aborted and left a namespace" in message
    assert "102 by this run" in message
    assert "--variable VLANS:<ranges>" in message
    assert "`Delete Orphaned Resources`" in message


def test_vlans_of_dead_runs_are_used_when_no_other_is_left(api: FakeApi, pool: VlanPool) -> None:
    for vlan in (100, 101, 102):
        put_lease(api, lease_name("br1", vlan), "dead", VLAN, lasts=DEAD)
    assert pool.lease("br1", "ns-1").vlan == 100


def test_vlans_are_given_back_when_their_namespace_is_gone(api: FakeApi, pool: VlanPool) -> None:
    pool.lease("br1", "ns-1")
    pool.lease("br1", "ns-2")
    pool.give_back(lambda namespace: namespace == "ns-1")
    assert names_of(api) == {"kubevirt-nad-tests-br1-101"}
    assert pool.lease("br1", "ns-3").vlan == 100


def test_runs_side_by_side_never_share_a_vlan(cluster: Cluster) -> None:
    books = [book_of(cluster, f"r{number}") for number in range(4)]
    leased: list[int] = []

    def run(pool: VlanPool) -> None:
        leased.extend(pool.lease("br1", "ns").vlan for _ in range(3))

    threads = [threading.Thread(target=run, args=(VlanPool(book, range(100, 112)),)) for book, _ in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, keeper in books:
        keeper.stop()
    assert sorted(leased) == list(range(100, 112))
