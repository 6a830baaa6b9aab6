# SPDX-License-Identifier: Apache-2.0
"""The recorder against a server that cuts, forgets, stalls and mutes its watches: nothing it sent is lost."""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import ADDED, DELETED, MODIFIED, Record
from livenad.api.kinds import EVENT, NAD, VM, VMI, Kind
from livenad.api.recorder import Recorder

from tests.unit.support.fake_api import FakeApi, Fault, Object

VMS = VM.path("demo")


def vm(state: str, uid: str = "u1") -> Object:
    return {"metadata": {"name": "web", "namespace": "demo", "uid": uid, "managedFields": [{}]}, "state": state}


def states(recorder: Recorder) -> list[tuple[str, str]]:
    return [(record.type, record.object["state"]) for record in recorder.history.records(VM, "web")]


Start = Callable[..., Recorder]


@pytest.fixture
def start(api: FakeApi, cluster: Cluster) -> Iterator[Start]:
    started = []

    def make(kinds: tuple[Kind, ...] = (VM,), watch_seconds: int = 30, **options: object) -> Recorder:
        recorder = Recorder(cluster, "demo", kinds=kinds, watch_seconds=watch_seconds, **options)  # type: ignore[arg-type]
        recorder.start()
        started.append(recorder)
        return recorder

    yield make
    for recorder in started:
        recorder.stop()


def reach(recorder: Recorder, state: str, within: float = 10, look_every: float | None = None) -> Record | None:
    def found(_: object) -> Record | None:
        records = recorder.history.records(VM, "web")
        return records[-1] if records and records[-1].object["state"] == state else None

    return recorder.wait_for(found, within, state, lambda: "something else", look_every=look_every)


def test_every_transition_is_recorded_in_order(api: FakeApi, start: Start) -> None:
    api.put(VMS, vm("before"))
    recorder = start()
    for state in "abc":
        api.put(VMS, vm(state))
    assert reach(recorder, "c")
    assert states(recorder) == [(ADDED, "before"), (MODIFIED, "a"), (MODIFIED, "b"), (MODIFIED, "c")]
    assert [record.synthetic for record in recorder.history.records(VM)] == [True, False, False, False]
    assert "managedFields" not in recorder.history.records(VM)[1].object["metadata"]


def test_transitions_during_a_cut_are_told_by_the_next_watch(api: FakeApi, start: Start) -> None:
    recorder = start()
    api.put(VMS, vm("a"))
    assert reach(recorder, "a")
    api.cut_watches()
    for state in ("blink", "b"):
        api.put(VMS, vm(state))
    assert reach(recorder, "b")
    assert states(recorder) == [(ADDED, "a"), (MODIFIED, "blink"), (MODIFIED, "b")]


def test_refused_watches_are_tried_again(api: FakeApi, start: Start) -> None:
    recorder = start()
    api.faults.extend(Fault("GET", VMS, status) for status in (500, 429, 0))
    api.cut_watches()
    api.put(VMS, vm("a"))
    assert reach(recorder, "a")


@pytest.mark.circumstance(
    "etcd is compacted while a watch is cut",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_after_410_a_list_shows_what_was_missed(api: FakeApi, start: Start) -> None:
    other = {"metadata": {"name": "other", "namespace": "demo"}, "state": "x"}
    api.put(VMS, vm("a"))
    api.put(VMS, other)
    recorder = start()
    with api.condition:
        api.mute_watches = True
        api.put(VMS, vm("lost"))
        api.put(VMS, vm("b"))
        api.remove(VMS, "other")
        api.compact()
        api.mute_watches = False
        api.cut_watches()
    assert reach(recorder, "b")
    assert recorder.history.records(VM, "web")[-1].synthetic
    assert [record.type for record in recorder.history.records(VM, "other")] == [ADDED, DELETED]
    api.put(VMS, vm("c"))
    assert reach(recorder, "c")


def test_replaced_object_is_deleted_and_added(api: FakeApi, start: Start) -> None:
    api.put(VMS, vm("a", uid="u1"))
    recorder = start()
    with api.condition:
        api.mute_watches = True
        api.remove(VMS, "web")
        api.put(VMS, vm("a", uid="u2"))
    assert recorder.catch_up() == 1
    assert [(record.type, record.uid) for record in recorder.history.records(VM)] == [
        (ADDED, "u1"),
        (DELETED, "u1"),
        (ADDED, "u2"),
    ]


def test_what_a_late_watch_tells_is_kept_and_counted_once(api: FakeApi, start: Start) -> None:
    recorder = start()
    with api.condition:
        api.mute_watches = True
        api.put(VMS, vm("blink"))
        api.put(VMS, vm("b"))
    recorder.catch_up()
    assert states(recorder) == [(ADDED, "b")]
    with api.condition:
        api.mute_watches = False
        api.condition.notify_all()
    api.put(VMS, vm("c"))
    assert reach(recorder, "c")
    assert [state for _, state in states(recorder)] == ["blink", "b", "c"]
    current = recorder.history.current(VM, "web")
    assert current is not None
    assert current["state"] == "c"


@pytest.mark.circumstance(
    "a watch stays open and tells nothing any more",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_stalled_watch_is_replaced(api: FakeApi, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.api.watch._MARGIN_SECONDS", 1)
    recorder = start(watch_seconds=1)
    with api.condition:
        api.silent_watches = api.mute_watches = True
    api.put(VMS, vm("a"))
    with api.condition:
        stalled = len(api.requests("GET", VMS))
        api.condition.wait_for(lambda: len(api.requests("GET", VMS)) > stalled, 10)
        api.silent_watches = api.mute_watches = False
        api.condition.notify_all()
    assert reach(recorder, "a")


def test_watch_that_ends_by_itself_goes_on(api: FakeApi, start: Start) -> None:
    recorder = start(watch_seconds=1)
    watches = len(api.requests("GET", VMS))
    with api.condition:
        assert api.condition.wait_for(lambda: len(api.requests("GET", VMS)) > watches + 1, 10)
    api.put(VMS, vm("a"))
    assert reach(recorder, "a")


def test_wait_reads_the_cluster_before_it_gives_up(api: FakeApi, start: Start) -> None:
    recorder = start()
    with api.condition:
        api.mute_watches = True
    api.put(VMS, vm("a"))
    assert reach(recorder, "a", within=0.1)


def test_a_wait_that_looks_again_sees_what_a_silent_watch_does_not_tell(api: FakeApi, start: Start) -> None:
    recorder = start()
    with api.condition:
        api.mute_watches = True
    api.put(VMS, vm("a"))
    began = time.monotonic()
    assert reach(recorder, "a", within=20, look_every=0.1)
    assert time.monotonic() - began < 10


def test_wait_gives_none_at_its_deadline(api: FakeApi, start: Start) -> None:
    recorder = start()
    began = time.monotonic()
    assert reach(recorder, "never", within=0.3) is None
    assert 0.3 <= time.monotonic() - began < 3


def test_long_wait_gives_signs_of_life(api: FakeApi, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.api.recorder.HEARTBEAT_SECONDS", 0.05)
    lines: list[str] = []
    recorder = start(heartbeat=lines.append)
    reach(recorder, "never", within=0.3)
    assert 2 <= len(lines) <= 7
    assert re.fullmatch(r"something else; waiting for never, 0\.\d s gone, 0\.\d s left", lines[0])


def test_forbidden_kind_ends_the_start_with_its_name(api: FakeApi, cluster: Cluster) -> None:
    api.forbidden.add(("GET", "virtualmachines"))
    recorder = Recorder(cluster, "demo", kinds=(VM, NAD))
    with pytest.raises(ApiError, match=r"VirtualMachine in demo.*403"):
        recorder.start()


def test_events_may_be_forbidden(api: FakeApi, start: Start) -> None:
    api.forbidden.add(("GET", "/events"))
    recorder = start(kinds=(VM, EVENT))
    api.put(VMS, vm("a"))
    assert reach(recorder, "a")


def test_broken_streams_say_so(api: FakeApi, start: Start) -> None:
    recorder = start(kinds=(VM, VMI))
    api.faults.extend(Fault("GET", VMS, 500) for _ in range(50))
    limit = time.monotonic() + 10
    told: list[str] = []
    while not told and time.monotonic() < limit:
        # A watch that was not quite open yet is not cut.
        api.cut_watches()
        recorder.history.wait(lambda: None, time.monotonic() + 0.05)
        told = [line for line in recorder.broken_streams() if "500" in line]
    (line,) = told
    assert line.startswith("watch of VirtualMachine objects in demo is broken since ")


def test_stop_is_quick_and_leaves_no_thread(api: FakeApi, cluster: Cluster) -> None:
    recorder = Recorder(cluster, "demo")
    recorder.start()
    began = time.monotonic()
    recorder.stop()
    assert time.monotonic() - began < 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch-")]


def test_a_waiter_is_woken_at_once(api: FakeApi, start: Start) -> None:
    recorder = start()
    delays = []
    for number in range(20):
        commits: list[float] = []

        def commit(state: str = str(number), commits: list[float] = commits) -> None:
            commits.append(time.monotonic())
            api.put(VMS, vm(state))

        timer = threading.Timer(0.01, commit)
        timer.start()
        assert reach(recorder, str(number))
        delays.append(time.monotonic() - commits[0])
    assert statistics.median(delays) < 0.05


# -- one list before a verdict --------------------------------------------------------------------------------------


def lists(api: FakeApi, kind: Kind) -> int:
    return len([seen for seen in api.requests("GET", kind.path("demo")) if "watch" not in seen.query])


def test_verdicts_in_a_row_read_each_kind_once(api: FakeApi, start: Start) -> None:
    recorder = start(kinds=(VM, VMI))
    recorder.catch_up()
    before = lists(api, VM), lists(api, VMI)
    for _ in range(5):
        assert recorder.catch_up(unless_fresh=True) == 0
    assert (lists(api, VM), lists(api, VMI)) == before


def test_a_kind_of_which_something_arrived_is_read_again_and_no_other(api: FakeApi, start: Start) -> None:
    recorder = start(kinds=(VM, VMI))
    recorder.catch_up()
    before = lists(api, VM), lists(api, VMI)
    api.put(VMS, vm("a"))
    assert reach(recorder, "a")
    recorder.catch_up(unless_fresh=True)
    assert (lists(api, VM), lists(api, VMI)) == (before[0] + 1, before[1])


def test_after_a_write_of_this_process_everything_is_read_again(api: FakeApi, cluster: Cluster, start: Start) -> None:
    recorder = start(kinds=(VM,))
    with api.condition:
        api.mute_watches = True
    recorder.catch_up()
    cluster.request("POST", VMS, body=vm("created"))
    assert recorder.catch_up(unless_fresh=True) == 1


def test_an_old_list_stands_no_more(api: FakeApi, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = start(kinds=(VM,))
    with api.condition:
        api.mute_watches = True
    recorder.catch_up()
    api.put(VMS, vm("a"))
    monkeypatch.setattr("livenad.api.recorder.FRESH_SECONDS", 0.0)
    assert recorder.catch_up(unless_fresh=True) == 1


def test_behind_a_broken_watch_every_verdict_reads(api: FakeApi, start: Start) -> None:
    recorder = start(kinds=(VM,))
    (stream,) = recorder._streams.values()
    recorder.catch_up()
    stream._broken_since = time.monotonic()
    before = lists(api, VM)
    recorder.catch_up(unless_fresh=True)
    assert lists(api, VM) == before + 1
