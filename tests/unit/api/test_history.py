# SPDX-License-Identifier: Apache-2.0
"""The history of a namespace: its order when a list overtakes the watch, ways to its records, and waits for them."""

from __future__ import annotations

import json
import re
import threading
import time
from itertools import count

import pytest
from livenad.api.history import DELETED, MODIFIED, History, Record
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM, VMI, Kind, Object
from livenad.api.waits import Wait
from livenad.errors import LabError


def item(version: int, name: str = "web", uid: str = "u1") -> Object:
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(version)}}


def versions(history: History, kind: Kind = VM, name: str | None = "web", since: int = 0) -> list[str]:
    return [record.resource_version for record in history.records(kind, name, since)]


def overtaken() -> History:
    """States 1, 3 and 4 of a VM are known, 3 and 4 by a list; a VMI came in between; then the watch tells state 2."""
    clock = count(100.0)
    history = History(lambda: next(clock))
    history.append(VM, MODIFIED, item(1))
    history.absorb(VM, [item(3)], "3")
    history.append(VMI, MODIFIED, item(9))
    history.absorb(VM, [item(4)], "4")
    history.append(VM, MODIFIED, item(2))
    return history


def test_a_state_that_a_list_overtook_stands_where_it_belongs() -> None:
    history = overtaken()
    assert versions(history) == versions(history, name=None) == ["1", "2", "3", "4"]
    assert [record.at for record in history.records(VM, "web")] == [100.0, 101.0, 101.0, 103.0]
    assert history.current(VM, "web") == item(4)


def test_what_was_seen_before_a_moment_stays_before_it() -> None:
    history = overtaken()
    moment = len(history)
    history.append(VM, MODIFIED, item(7))
    history.append(VM, MODIFIED, item(6))
    history.append(VM, MODIFIED, item(5))
    assert versions(history, since=moment) == ["5", "6", "7"]
    assert versions(history, name=None, since=moment) == ["5", "6", "7"]
    assert history.state_before(VM, "web", moment) == item(4)
    assert history.state_before(VM, "web", 1) == item(1)
    assert versions(history, VMI) == ["9"]


def test_an_object_of_the_same_name_is_another_one() -> None:
    history = History()
    history.append(VM, MODIFIED, item(5, uid="u2"))
    history.append(VM, MODIFIED, item(4, uid="u1"))
    assert versions(history) == ["5", "4"]


def deleted_by_a_list() -> History:
    """State 1 of a VM is known, and a list of version 5 has it no more; the watch is behind."""
    history = History()
    history.append(VM, MODIFIED, item(1))
    assert history.absorb(VM, [], "5") == 1
    return history


@pytest.mark.circumstance(
    "a watch tells states of an object that a list has shown as deleted",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_what_a_list_showed_as_deleted_does_not_come_back_by_late_events() -> None:
    history = deleted_by_a_list()
    gone_at = history.records(VM)[-1].at
    history.append(VM, MODIFIED, item(2))
    assert history.current(VM, "web") is None
    assert history.append(VM, DELETED, item(3)) is None
    assert [(one.type, one.resource_version) for one in history.records(VM, "web")] == [
        (MODIFIED, "1"),
        (MODIFIED, "2"),
        (DELETED, "1"),
    ]
    assert history.records(VM)[1].at == gone_at
    assert history.all(VM) == []


def test_what_a_watch_showed_as_deleted_does_not_come_back_by_an_old_list() -> None:
    history = History()
    history.append(VM, MODIFIED, item(1))
    history.append(VM, DELETED, item(4))
    history.absorb(VM, [item(3)], "3")
    assert history.current(VM, "web") is None
    assert history.records(VM)[-1].type == DELETED


def test_another_object_of_the_name_of_a_deleted_one_is_there() -> None:
    history = deleted_by_a_list()
    history.append(VM, MODIFIED, item(7, uid="u2"))
    history.append(VM, DELETED, item(3))
    assert history.current(VM, "web") == item(7, uid="u2")


def test_a_history_until_a_record_ends_there_and_takes_late_states_of_before() -> None:
    history = overtaken()
    part = history.until(2)
    assert versions(part) == ["1", "2", "3"]
    assert (part.current(VM, "web"), part.current(VMI, "web")) == (item(3), None)
    assert (len(part), part.now) == (2, history.records(VMI)[0].at)
    assert history.until(2) is part
    history.append(VM, DELETED, item(8))
    assert history.until(2) is part
    assert history.until(len(history)).current(VM, "web") is None


# -- by kind, by object and by VM -----------------------------------------------------------------------------------


def launcher(version: int, name: str, vm: str, label: str = "kubevirt-nad-tests/vm") -> Object:
    found = item(version, name, f"uid-{name}")
    found["metadata"]["labels"] = {label: vm}
    return found


def migration(version: int, name: str, vm: str) -> Object:
    return {**item(version, name, f"uid-{name}"), "spec": {"vmiName": vm}}


def event(version: int, kind: Kind, about: str) -> Object:
    return {**item(version, f"e{version}", f"e{version}"), "involvedObject": {"kind": kind.name, "name": about}}


def two_vms() -> History:
    """Objects of VMs web and db, an event about a pod of each, one about something unknown, and a NAD."""
    history = History()
    for kind, found in (
        (VM, item(1)),
        (VM, item(2, "db", "u2")),
        (POD, launcher(3, "launcher-web", "web")),
        (POD, launcher(4, "launcher-db", "db", "vm.kubevirt.io/name")),
        (MIGRATION, migration(5, "m1", "db")),
        (NAD, item(6, "blue", "n1")),
        (EVENT, event(7, POD, "launcher-web")),
        (EVENT, event(8, POD, "launcher-db")),
        (EVENT, event(9, POD, "launcher-unknown")),
    ):
        history.append(kind, MODIFIED, found)
    history.append(VM, DELETED, item(10, "db", "u2"))
    return history


def told(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.name, record.resource_version) for record in records]


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


# -- waits ----------------------------------------------------------------------------------------------------------


class Waiting:
    """A wait in a thread of its own. ``asked`` is how often its predicate was asked, ``slept`` how often it slept."""

    def __init__(self, history: History, vms: set[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = self.slept = 0
        self.result: object = None
        self._done = False
        self._history = history
        self._asleep = threading.Semaphore(0)
        sleep = Wait.sleep

        def fall_asleep(wait: Wait, seconds: float) -> None:
            self.slept += 1
            self._asleep.release()
            sleep(wait, seconds)

        monkeypatch.setattr(Wait, "sleep", fall_asleep)
        self._thread = threading.Thread(target=self._wait, args=(vms,))
        self._thread.start()
        assert self._asleep.acquire(timeout=10)

    def tell(self, kind: Kind, found: Object, *, wakes: bool) -> None:
        """A record arrives; returns when the wait sleeps again, if it is one that wakes it."""
        self._history.append(kind, MODIFIED, found)
        assert not wakes or self._asleep.acquire(timeout=10)

    def finish(self, kind: Kind, found: Object) -> None:
        """The same with a record by which the predicate comes true; returns when the wait has ended."""
        self._done = True
        self._history.append(kind, MODIFIED, found)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _wait(self, vms: set[str] | None) -> None:
        self.result = self._history.wait(self._predicate, time.monotonic() + 20, vms)

    def _predicate(self) -> bool:
        self.asked += 1
        return self._done


def test_a_wait_for_one_vm_is_not_even_woken_for_records_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(History(), {"web"}, monkeypatch)
    waiting.tell(VM, item(1, "db", "u2"), wakes=False)
    waiting.tell(POD, launcher(2, "launcher", "db"), wakes=False)
    waiting.tell(EVENT, event(3, POD, "launcher"), wakes=False)
    waiting.tell(VM, item(4), wakes=True)
    waiting.tell(MIGRATION, migration(5, "m1", "db"), wakes=False)
    waiting.finish(VM, item(6))
    assert (waiting.asked, waiting.slept, waiting.result) == (3, 2, True)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (POD, launcher(5, "launcher-web", "web")),
        (MIGRATION, migration(5, "m1", "web")),
        (NAD, item(5, "blue")),
        (EVENT, event(5, POD, "unknown")),
    ],
)
def test_a_wait_for_one_vm_is_asked_for_what_is_its_or_nobodys(
    kind: Kind, found: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(History(), {"web"}, monkeypatch)
    waiting.finish(kind, found)
    assert (waiting.asked, waiting.result) == (2, True)


def test_a_wait_for_one_vm_is_asked_for_a_late_state_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list has shown a later one already, so that it does not stand at the end of the history."""
    history = History()
    history.append(VM, MODIFIED, item(5))
    history.append(VM, MODIFIED, item(9, "db", "u2"))
    waiting = Waiting(history, {"web"}, monkeypatch)
    waiting.tell(VM, item(8, "db", "u2"), wakes=False)
    waiting.finish(VM, item(4))
    assert (waiting.asked, waiting.result) == (2, True)


@pytest.mark.parametrize("vms", [None, {"web", "db"}])
def test_a_wait_for_all_is_asked_for_each_record(vms: set[str] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(History(), vms, monkeypatch)
    for version, name in enumerate(("web", "db", "web"), 1):
        waiting.tell(VM, item(version, name, name), wakes=True)
        assert waiting.asked == version + 1
    waiting.finish(VM, item(9))
    assert waiting.asked == 5


def test_a_wait_ends_at_its_deadline_whatever_comes() -> None:
    history = History()
    began = time.monotonic()
    assert history.wait(lambda: None, began + 0.1, {"web"}) is None
    assert history.wait(lambda: None, began) is None
    assert time.monotonic() - began < 5


def test_of_many_vms_each_is_looked_at_when_something_of_it_came() -> None:
    """A record of a VM costs one look at that VM, however many there are; an event costs none."""
    history = History()
    names = [f"vm-{number}" for number in range(100)]
    asked: list[str] = []

    def is_done(name: str) -> bool:
        asked.append(name)
        return history.current(POD, f"launcher-{name}") is not None

    def arrive() -> None:
        for version, name in enumerate(names, 1):
            history.append(VM, MODIFIED, item(version, name, name))
            history.append(EVENT, MODIFIED, event(1000 + version, POD, "unknown"))
        for version, name in enumerate(names, 2000):
            history.append(POD, MODIFIED, launcher(version, f"launcher-{name}", name))

    thread = threading.Thread(target=arrive)
    thread.start()
    assert history.wait_for_each(names, is_done, time.monotonic() + 20) == []
    thread.join()
    assert len(names) <= len(asked) <= 3 * len(names)


def test_of_many_vms_those_are_told_that_are_not_done() -> None:
    history = two_vms()
    done = {"db": True, "web": False}
    assert history.wait_for_each(["web", "db"], done.__getitem__, time.monotonic() + 0.05) == ["web"]


def test_a_vm_that_was_done_and_is_so_no_more_is_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    history.append(VM, MODIFIED, item(1))
    states = iter([(VM, item(2, "db", "u2")), (VM, item(3)), (VM, item(4))])

    def arrive_while_it_sleeps(wait: Wait, _seconds: float) -> None:
        history.append(next(states)[0], MODIFIED, arrived.pop(0))

    arrived = [item(2), item(3, "db", "u2"), item(4)]
    monkeypatch.setattr(Wait, "sleep", arrive_while_it_sleeps)

    def is_done(name: str) -> bool:
        return history.current(VM, name) in (item(1), item(3, "db", "u2"), item(4))

    assert history.wait_for_each(["web", "db"], is_done, time.monotonic() + 20) == []
    assert arrived == []


# -- memory ---------------------------------------------------------------------------------------------------------


def test_states_share_what_they_have_in_common() -> None:
    history = History()
    for version in (1, 2):
        history.append(VM, MODIFIED, {**item(version), "spec": {"nics": [{"name": "a"}, {"name": f"b{version}"}]}})
    history.append(VM, MODIFIED, {**item(3, "db", "u2"), "spec": {"nics": [{"name": "a"}]}})
    first, second, other = (record.object for record in history.records(VM))
    assert second == {**item(2), "spec": {"nics": [{"name": "a"}, {"name": "b2"}]}}
    assert first["spec"]["nics"][0] is second["spec"]["nics"][0] is other["spec"]["nics"][0]
    assert second["spec"]["nics"][1] == {"name": "b2"}
    assert other["spec"] == {"nics": [{"name": "a"}]}


def crowded() -> History:
    """At most 20 states are kept; 21 came: events first, then 12 states of one VM and one of another."""
    history = History(limit=20)
    for version in range(1, 9):
        history.append(EVENT, MODIFIED, event(version, POD, "unknown"))
    history.append(VM, MODIFIED, item(9, "db", "u2"))
    for version in range(10, 22):
        history.append(VM, MODIFIED, item(version))
    return history


def test_past_the_limit_the_oldest_events_go_first_and_it_is_told() -> None:
    history = crowded()
    assert told(history.records(EVENT)) == [(f"e{version}", str(version)) for version in range(3, 9)]
    assert len(history.records(VM)) == 13
    assert len(history) == 21
    assert re.fullmatch(
        r"2 of the oldest states were dropped \(Event 2\), the last of \d\d:\d\d:\d\d UTC; at most 20 are kept",
        history.dropped,
    )
    assert two_vms().dropped == ""


def test_a_verdict_on_a_time_of_which_states_were_dropped_is_refused() -> None:
    history = crowded()
    for version in range(22, 40):
        history.append(VM, MODIFIED, item(version))
    assert history.current(VM, "db") == item(9, "db", "u2")
    assert versions(history, name="db", since=1) == ["9"]
    kept = history.records(VM, "web")
    assert (kept[0].resource_version, len(kept)) != ("10", 30)
    with pytest.raises(LabError, match=r"states of VirtualMachine web .* no longer kept: .*VirtualMachine \d+"):
        history.records(VM, "web", since=9)
    with pytest.raises(LabError, match="no longer kept"):
        history.state_before(VM, "web", kept[0].index)
    assert history.records(VM, "web", since=kept[0].index) == kept
    assert history.state_before(VM, "web", kept[1].index) == kept[0].object


def test_indexes_forget_what_was_dropped_and_take_what_comes() -> None:
    history = crowded()
    for version in range(40, 200):
        history.append(POD, MODIFIED, launcher(version, "launcher", "web"))
        assert len(list(history.json_lines())) <= 20
    assert told(history.records(POD, vm="web")) == told(history.records(POD)) == told(history.records(POD, "launcher"))
    assert told(history.records(POD))[-1] == ("launcher", "199")
    assert history.current(VM, "web") == item(21)


def test_an_older_list_claims_no_replacement() -> None:
    """The list was made before the object was deleted and made again; its answer came later."""
    history = History()
    again, before = item(9), item(3)
    again["metadata"]["uid"] = "again"
    history.append(VM, "ADDED", again)
    assert history.absorb(VM, [before], "4") == 0
    assert [record.type for record in history.records(VM)] == ["ADDED"]
