# SPDX-License-Identifier: Apache-2.0
"""Records of a history by kind, by object and by VM."""

from __future__ import annotations

import json

import pytest
from livenad.api.history import MODIFIED, History
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM

from tests.unit.support.states import event, item, launcher, told, two_vms


def test_records_are_found_by_kind_object_and_vm() -> None:
    history = two_vms()
    assert told(history.records(VM)) == [("web", "1"), ("db", "2"), ("db", "10")]
    assert told(history.records(VM, "db")) == told(history.records(VM, vm="db")) == [("db", "2"), ("db", "10")]
    assert told(history.records(POD, vm="web")) == [("launcher-web", "3")]
    assert told(history.records(POD, vm="db")) == [("launcher-db", "4")]
    assert told(history.records(MIGRATION, vm="db")) == [("m1", "5")]
    assert told(history.records(MIGRATION, vm="web")) == []
    assert told(history.records(NAD, vm="")) == [("blue", "6")]


def test_a_pod_belongs_to_the_vm_of_its_vmi_whatever_its_labels_say() -> None:
    """KubeVirt's label has the guest's host name, which the owner of a VM may choose."""
    history = History()
    pod = launcher(2, "launcher", "shop", "vm.kubevirt.io/name")
    pod["metadata"]["ownerReferences"] = [{"kind": "VirtualMachineInstance", "name": "web"}]
    history.append(POD, MODIFIED, pod)
    assert history.all(POD, vm="web") == [pod]
    assert history.all(POD, vm="shop") == []


def test_events_are_found_by_what_they_are_about() -> None:
    history = two_vms()
    history.append(EVENT, MODIFIED, event(11, VM, "web"))
    assert told(history.events_about(["web", "launcher-web", "web"])) == [("e7", "7"), ("e11", "11")]
    assert told(history.events_about(["web", "launcher-web"], since=7)) == [("e11", "11")]
    assert history.events_about(["nothing"]) == []


def test_an_event_belongs_to_the_vm_of_what_it_is_about() -> None:
    history = two_vms()
    assert [record.vm for record in history.records(EVENT)] == ["web", "db", ""]
    assert told(history.records(EVENT, vm="db")) == [("e8", "8")]


@pytest.mark.parametrize(("since", "left"), [(0, 2), (1, 2), (2, 1), (9, 1), (10, 0)])
def test_records_of_a_vm_are_counted_from_an_index_of_the_whole_history(since: int, left: int) -> None:
    assert len(two_vms().records(VM, since=since, vm="db")) == left


def test_what_there_is_now_is_found_by_vm() -> None:
    history = two_vms()
    assert [found["metadata"]["name"] for found in history.all(POD, vm="db")] == ["launcher-db"]
    assert len(history.all(POD)) == 2
    assert history.all(VM, vm="db") == []
    assert history.current(VM, "db") is None


def test_records_that_are_given_stay_as_they_were() -> None:
    history = two_vms()
    before = history.records(VM)
    history.append(VM, MODIFIED, item(11))
    assert len(before) == 3


def test_a_late_state_stands_where_it_belongs_by_every_way_to_it() -> None:
    """The list has shown state 30 of one pod; then other objects come, and at last the watch tells states 10 and 20."""
    history = History()
    history.append(POD, MODIFIED, launcher(1, "other", "web"))
    history.absorb(POD, [launcher(1, "other", "web"), launcher(30, "pod", "web")], "30")
    history.append(POD, MODIFIED, launcher(40, "other", "web"))
    history.append(VM, MODIFIED, item(41))
    history.append(POD, MODIFIED, launcher(10, "pod", "web"))
    history.append(POD, MODIFIED, launcher(20, "pod", "web"))
    in_order = [("other", "1"), ("pod", "10"), ("pod", "20"), ("pod", "30"), ("other", "40")]
    assert told(history.records(POD)) == in_order
    assert told(history.records(POD, vm="web")) == in_order
    assert told(history.records(POD, "pod")) == in_order[1:4]
    assert [json.loads(line)["name"] for line in history.json_lines()] == [*(name for name, _ in in_order), "web"]
    assert [record.index for record in history.records(POD)] == [0, 1, 1, 1, 2]
    assert history.state_before(POD, "pod", 2) == launcher(30, "pod", "web")


def test_a_late_state_of_another_vm_stands_where_it_belongs_among_those() -> None:
    """The pod had another label before: it is found by the VM that it named then."""
    history = History()
    history.append(POD, MODIFIED, launcher(1, "first", "db"))
    history.append(POD, MODIFIED, launcher(30, "pod", "web"))
    history.append(POD, MODIFIED, launcher(31, "last", "db"))
    history.append(POD, MODIFIED, launcher(20, "pod", "db"))
    assert told(history.records(POD, vm="db")) == [("first", "1"), ("pod", "20"), ("last", "31")]
    assert told(history.records(POD, vm="db", since=1)) == [("pod", "20"), ("last", "31")]
    assert told(history.records(POD, vm="web")) == [("pod", "30")]
