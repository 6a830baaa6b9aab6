"""The history of a namespace: its order when a list overtakes the watch, ways to its records, and waits for them."""

from __future__ import annotations

import json
import threading
import time
from itertools import count

import pytest
from livenad.api.history import DELETED, MODIFIED, History, Record
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM, VMI, Kind, Object


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
    """A wait in a thread of its own. ``asked`` is how often its predicate was asked."""

    def __init__(self, history: History, vms: set[str] | None) -> None:
        self.asked = 0
        self.result: object = None
        self._done = False
        self._history = history
        self._asleep = threading.Semaphore(0)
        self._sleep = history.condition.wait
        history.condition.wait = self._fall_asleep  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._wait, args=(vms,))
        self._thread.start()
        assert self._asleep.acquire(timeout=10)

    def tell(self, kind: Kind, found: Object) -> None:
        """A record arrives; returns when the wait sleeps again."""
        self._history.append(kind, MODIFIED, found)
        assert self._asleep.acquire(timeout=10)

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

    def _fall_asleep(self, timeout: float | None = None) -> bool:
        self._asleep.release()
        return self._sleep(timeout)


def test_a_wait_for_one_vm_is_not_asked_for_records_of_another() -> None:
    waiting = Waiting(History(), {"web"})
    waiting.tell(VM, item(1, "db", "u2"))
    waiting.tell(POD, launcher(2, "launcher", "db"))
    waiting.tell(EVENT, event(3, POD, "launcher"))
    assert waiting.asked == 1
    waiting.tell(VM, item(4))
    assert waiting.asked == 2
    waiting.tell(MIGRATION, migration(5, "m1", "db"))
    waiting.finish(VM, item(6))
    assert (waiting.asked, waiting.result) == (3, True)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (POD, launcher(5, "launcher-web", "web")),
        (MIGRATION, migration(5, "m1", "web")),
        (NAD, item(5, "blue")),
        (EVENT, event(5, POD, "unknown")),
    ],
)
def test_a_wait_for_one_vm_is_asked_for_what_is_its_or_nobodys(kind: Kind, found: Object) -> None:
    waiting = Waiting(History(), {"web"})
    waiting.finish(kind, found)
    assert (waiting.asked, waiting.result) == (2, True)


def test_a_wait_for_one_vm_is_asked_for_a_late_state_of_it() -> None:
    """The list has shown a later one already, so that it does not stand at the end of the history."""
    history = History()
    history.append(VM, MODIFIED, item(5))
    history.append(VM, MODIFIED, item(9, "db", "u2"))
    waiting = Waiting(history, {"web"})
    waiting.tell(VM, item(8, "db", "u2"))
    assert waiting.asked == 1
    waiting.finish(VM, item(4))
    assert (waiting.asked, waiting.result) == (2, True)


@pytest.mark.parametrize("vms", [None, {"web", "db"}])
def test_a_wait_for_all_is_asked_for_each_record(vms: set[str] | None) -> None:
    waiting = Waiting(History(), vms)
    for version, name in enumerate(("web", "db", "web"), 1):
        waiting.tell(VM, item(version, name, name))
        assert waiting.asked == version + 1
    waiting.finish(VM, item(9))
    assert waiting.asked == 5


def test_a_wait_ends_at_its_deadline_whatever_comes() -> None:
    history = History()
    began = time.monotonic()
    assert history.wait(lambda: None, began + 0.1, {"web"}) is None
    assert history.wait(lambda: None, began) is None
    assert time.monotonic() - began < 5
