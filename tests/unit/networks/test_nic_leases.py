# SPDX-License-Identifier: Apache-2.0
"""A spare NIC for each run: leased, waited for, verified when the user names it, and missing with a reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import NODE_STATE
from livenad.errors import BadInput
from livenad.networks.leasebook import EXCLUSIVE, NIC, SUITE, lease_name
from livenad.networks.nic_leases import NicLeases, NoSpareNic
from livenad.networks.nmstate_policies import POLICY
from livenad.networks.suite_lock import EXCLUSIVE_NAME

from tests.unit.networks.test_spare_nics import nic, state
from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.leases import SHELF, book_of, names_of, put_lease

FREE = {"n1": state(nic("ens4"), nic("ens5")), "n2": state(nic("ens4"), nic("ens5"))}
USED = {"n1": state(nic("ens4", controller="nad-x-1")), "n2": state(nic("ens4", controller="nad-x-1"))}

Make = Callable[..., NicLeases]


@pytest.fixture
def make(api: FakeApi, cluster: Cluster) -> Iterator[Make]:
    for kind in (POLICY, NODE_STATE):
        api.put(kind.path(), {"metadata": {"name": "foreign"}})
        api.remove(kind.path(), "foreign")
    keepers = []

    def leases(*wanted: str, within: float = 10) -> NicLeases:
        book, keeper = book_of(cluster, "r1")
        keepers.append(keeper)
        return NicLeases(book, wanted, within)

    yield leases
    for keeper in keepers:
        keeper.stop()


def test_each_bridge_gets_a_nic_of_its_own(api: FakeApi, make: Make) -> None:
    nics = make()
    assert [nics.take(lambda: FREE), nics.take(lambda: FREE)] == ["ens4", "ens5"]
    assert names_of(api) == {"kubevirt-nad-tests-nic-ens4", "kubevirt-nad-tests-nic-ens5"}
    with pytest.raises(NoSpareNic, match=r"ens4: used by this run\. ens5: used by this run"):
        nics.take(lambda: FREE)
    nics.give_back("ens4")
    assert names_of(api) == {"kubevirt-nad-tests-nic-ens5"}
    assert nics.take(lambda: FREE) == "ens4"


def test_nic_that_a_policy_names_is_left_alone(api: FakeApi, make: Make) -> None:
    port: Object = {"name": "br9", "bridge": {"port": [{"name": "ens4"}]}}
    api.put(POLICY.path(), {"metadata": {"name": "p"}, "spec": {"desiredState": {"interfaces": [port]}}})
    assert make().take(lambda: FREE) == "ens5"


def test_nic_that_a_policy_builds_anything_upon_is_left_alone(api: FakeApi, make: Make) -> None:
    vrf: Object = {"name": "red", "type": "vrf", "vrf": {"port": ["ens4"]}}
    api.put(POLICY.path(), {"metadata": {"name": "p"}, "spec": {"desiredState": {"interfaces": [vrf]}}})
    assert make().take(lambda: FREE) == "ens5"


@pytest.mark.circumstance(
    "the only spare NIC leads to a machine's BMC",
    topic="nodes",
    sees="is a USB device, such as leads to a BMC; name it by SPARE_NIC",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_usb_device_is_named_as_such(make: Make) -> None:
    states = {"n1": state(nic("usb0"))}
    with pytest.raises(NoSpareNic, match="usb0: is a USB device, such as leads to a BMC; name it by SPARE_NIC"):
        make().take(lambda: states)
    assert make("usb0").take(lambda: states) == "usb0"


@pytest.mark.circumstance(
    "two runs have one spare NIC each and want a second one",
    topic="others",
    sees="used by run other",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_who_has_a_nic_waits_less_for_a_second_one(api: FakeApi, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs with one NIC each would wait for each other, for the whole of LEASE_TIMEOUT."""
    monkeypatch.setattr("livenad.networks.nic_leases._CIRCLE_SECONDS", 0.3)
    nics = make(within=60)
    assert nics.take(lambda: FREE) == "ens4"
    put_lease(api, lease_name("nic", "ens5"), "other", NIC)
    began = time.monotonic()
    with pytest.raises(NoSpareNic, match=r"ens5: used by run other"):
        nics.take(lambda: FREE)
    assert time.monotonic() - began < 10


@pytest.mark.circumstance(
    "a run has the spare NIC and waits to run alone, the other runs a suite and waits for the NIC",
    topic="others",
    sees="used by run other",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("we_run_alone", [False, True])
def test_run_whose_suite_is_waited_for_by_the_holder_waits_less(
    api: FakeApi, make: Make, monkeypatch: pytest.MonkeyPatch, *, we_run_alone: bool
) -> None:
    monkeypatch.setattr("livenad.networks.nic_leases._CIRCLE_SECONDS", 0.3)
    put_lease(api, lease_name("nic", "ens4"), "other", NIC)
    nics = make("ens4", within=60)
    if we_run_alone:
        nics._book.take(EXCLUSIVE_NAME, EXCLUSIVE, "a suite that runs alone")
    else:
        put_lease(api, EXCLUSIVE_NAME, "other", EXCLUSIVE)
    began = time.monotonic()
    with pytest.raises(NoSpareNic, match="used by run other"):
        nics.take(lambda: USED)
    assert time.monotonic() - began < 10


def test_run_whose_suite_goes_on_is_waited_for(api: FakeApi, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.networks.nic_leases._CIRCLE_SECONDS", 0.0)
    put_lease(api, lease_name("nic", "ens4"), "other", NIC)
    put_lease(api, lease_name("suite", "other"), "other", SUITE)
    nics = make("ens4", within=0.3)
    for alone in (False, True):
        if alone:
            nics._book.take(EXCLUSIVE_NAME, EXCLUSIVE, "a suite that runs alone")
        began = time.monotonic()
        with pytest.raises(NoSpareNic):
            nics.take(lambda: USED)
        assert time.monotonic() - began >= 0.3


def test_nic_of_another_run_is_waited_for_until_the_nodes_show_it_free(api: FakeApi, make: Make) -> None:
    name = lease_name("nic", "ens4")
    put_lease(api, name, "other", NIC)
    states = dict(USED)

    def end_other_run() -> None:
        with api.condition:
            assert api.condition.wait_for(lambda: any(seen.query.get("watch") for seen in api.seen), 5)
        api.remove(SHELF, name)
        states.update(FREE)
        api.put(NODE_STATE.path(), {"metadata": {"name": "n1"}})

    thread = threading.Thread(target=end_other_run)
    thread.start()
    assert make("ens4").take(lambda: states) == "ens4"
    thread.join()


def test_wait_ends_with_what_is_in_the_way(api: FakeApi, make: Make) -> None:
    put_lease(api, lease_name("nic", "ens4"), "other", NIC)
    with pytest.raises(NoSpareNic) as caught:
        make(within=0.3).take(lambda: USED)
    message = str(caught.value)
    assert message.startswith("LAB ERROR: no spare NIC on all of n1, n2: ens4: used by run other (ann@desk). Needed is")
    assert "--variable SPARE_NIC:<name>" in message


def test_nobody_is_waited_for_where_no_nic_is_spare(make: Make) -> None:
    with pytest.raises(NoSpareNic, match="ens4: on n1 it belongs to nad-x-1; on n2 it belongs to nad-x-1"):
        make(within=60).take(lambda: USED)


def test_nic_that_the_user_names_is_verified(api: FakeApi, make: Make) -> None:
    with pytest.raises(BadInput, match='variable SPARE_NIC names "ens9", expected a spare NIC: on n1 it is not there'):
        make("ens9").take(lambda: FREE)
    assert make("ens5").take(lambda: FREE) == "ens5"
    assert names_of(api) == {"kubevirt-nad-tests-nic-ens5"}
