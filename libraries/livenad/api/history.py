# SPDX-License-Identifier: Apache-2.0
"""The history of a namespace: every state of every object that the API server showed, in the order of arrival.

If a list returns newer state before the watch does, late watch events are inserted in resourceVersion order.

Waits are predicates over it, *never happened* checks scan it, the evidence is it. It is asked by kind, by object and by
VM; a wait is woken by the records that concern it, and by no others.

Its memory is bounded: a state shares with the one before what both have in common, and past `LIMIT` the oldest states
are dropped. A verdict on a time of which states were dropped is a LAB ERROR.
"""

from __future__ import annotations

import json
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from livenad.api.dropped_states import DroppedStates
from livenad.api.kinds import EVENT, MIGRATION, Kind, Object, dig, meta, vm_of
from livenad.api.shared_states import share
from livenad.api.state_order import is_known, newer, precedes, put_before
from livenad.api.waits import Wait

T = TypeVar("T")
_index = attrgetter("index")

LIMIT = 200_000
"""How many states are kept."""

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


@dataclass(frozen=True)
class Record:
    """One transition of one object.

    ``index`` counts from 0 over the whole history; ``at`` is the monotonic clock and ``wall`` seconds since the epoch,
    both at arrival; ``synthetic`` marks a transition that a list showed and no watch event told. A state that arrives
    when a list has shown a later one of the object already, or its deletion, stands before that one, with its index and
    times. ``vm`` is the VM that the object belongs to, "" for none. ``arrival`` counts from 0 in the order of arrival.
    """

    index: int
    at: float
    wall: float
    type: str
    kind: str
    name: str
    uid: str
    resource_version: str
    object: Object
    synthetic: bool = False
    vm: str = ""
    arrival: int = 0


class History:
    """Append-only and thread-safe. ``clock`` and ``wall`` stamp what arrives; at most ``limit`` states are kept."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, limit: int = LIMIT, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock, self._wall = clock, wall
        self._moment: float | None = None
        self._lock = threading.RLock()
        self._length = 0
        self._records: list[Record] = []
        self._by_object: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
        self._by_kind: defaultdict[str, list[Record]] = defaultdict(list)
        self._by_vm: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
        self._events_about: defaultdict[str, list[Record]] = defaultdict(list)
        self._current: defaultdict[str, dict[str, Record]] = defaultdict(dict)
        self._current_of_vm: defaultdict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
        self._waits: list[Wait] = []
        self._dropped = DroppedStates(limit)
        self._deleted: dict[tuple[str, str], Record] = {}
        self._requests: list[tuple[str, bool, int]] = []
        self._part: tuple[int, int, History] | None = None

    # -- writing ------------------------------------------------------------------------------------------------

    def append(self, kind: Kind, type_: str, item: Object, *, synthetic: bool = False) -> Record | None:
        """Remember one transition; None when it is remembered already (a list and a watch may both tell it)."""
        metadata = item.get("metadata", {})
        managed = metadata.pop("managedFields", None)
        if kind is MIGRATION and managed:
            metadata["managedFields"] = [{"manager": entry.get("manager")} for entry in managed]
        name, uid, version = str(metadata["name"]), str(metadata.get("uid", "")), str(metadata["resourceVersion"])
        with self._lock:
            own, of_kind = self._by_object[kind.name, name], self._by_kind[kind.name]
            deletion = self._deleted.get((kind.name, uid)) if uid else None
            if is_known(own, uid, version, deleted=type_ == DELETED) or (deletion and type_ == DELETED):
                return None
            overtaken = bool(own) and precedes(version, own[-1])
            later = next((r for r in own if r.uid == uid and precedes(version, r)), None) if overtaken else None
            later = later or deletion
            index = later.index if later else self._length
            at, wall = (later.at, later.wall) if later else (self._clock(), self._wall())
            like = own or of_kind
            item = share(item, like[-1].object) if like else item
            vm = self._vm_of(kind, item)
            record = Record(
                index, at, wall, type_, kind.name, name, uid, version, item, synthetic, vm, arrival=self._length
            )
            for records in self._indexes(record):
                put_before(records, later, record)
            self._length += 1
            if type_ == DELETED:
                self._deleted[kind.name, uid] = record
            if deletion is None:
                self._set_current(record)
            if self._dropped.is_over(len(self._records)):
                self._drop()
            for wait in self._waits:
                wait.tell(record.kind, record.vm)
            return record

    def expect_migration(self, vm: str, *, evacuation: bool = False) -> None:
        """Remember that the run is about to request a migration of a VM, or to evict it."""
        with self._lock:
            self._requests.append((vm, evacuation, self._length))

    def _indexes(self, record: Record) -> Iterator[list[Record]]:
        """Every list that has the record."""
        yield self._records
        yield self._by_object[record.kind, record.name]
        yield self._by_kind[record.kind]
        yield self._by_vm[record.kind, record.vm]
        if record.kind == EVENT.name:
            yield self._events_about[str(dig(record.object, "involvedObject", "name"))]

    def _vm_of(self, kind: Kind, item: Object) -> str:
        """An event belongs to the VM of the object that it is about, once that was seen."""
        if kind is EVENT:
            about = dig(item, "involvedObject", default={})
            known = self._by_object.get((str(about.get("kind")), str(about.get("name"))))
            return known[-1].vm if known else ""
        return vm_of(kind, item)

    def absorb(self, kind: Kind, items: list[Object], resource_version: str) -> int:
        """Compare a list with what is known and append what no watch event told; gives the number of transitions."""
        found = 0
        with self._lock:
            known = dict(self._current[kind.name])
            listed = {str(meta(item, "name")): item for item in items}
            for name, item in listed.items():
                record = known.get(name)
                version, uid = str(meta(item, "resourceVersion")), str(meta(item, "uid"))
                if record is None:
                    found += self.append(kind, ADDED, item, synthetic=True) is not None
                elif record.uid != uid and newer(version, record.resource_version):
                    self.append(kind, DELETED, record.object, synthetic=True)
                    found += self.append(kind, ADDED, item, synthetic=True) is not None
                elif record.uid == uid and newer(version, record.resource_version):
                    found += self.append(kind, MODIFIED, item, synthetic=True) is not None
            for name, record in known.items():
                if name not in listed and not newer(record.resource_version, resource_version):
                    found += self.append(kind, DELETED, record.object, synthetic=True) is not None
        return found

    def _set_current(self, record: Record) -> None:
        current = self._current[record.kind]
        before = current.get(record.name)
        if record.type == DELETED:
            if before is not None and before.uid == record.uid:
                del current[record.name]
                del self._current_of_vm[before.kind, before.vm][before.name]
        elif before is None or before.uid != record.uid or newer(record.resource_version, before.resource_version):
            current[record.name] = record
            if before is not None:
                del self._current_of_vm[before.kind, before.vm][before.name]
            self._current_of_vm[record.kind, record.vm][record.name] = record

    def _drop(self) -> None:
        current = {id(record) for of_kind in self._current.values() for record in of_kind.values()}
        gone = self._dropped.choose(
            self._records, lambda record: record.kind == EVENT.name or id(record) not in current
        )
        for records in {id(records): records for record in gone.values() for records in self._indexes(record)}.values():
            records[:] = [record for record in records if id(record) not in gone]

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The monotonic clock; of a part of a history the time at which it ends, while it stands still that moment."""
        return time.monotonic() if self._moment is None else self._moment

    @contextmanager
    def standing_still(self, at: float | None = None) -> Iterator[float]:
        """Nothing is recorded meanwhile, and `now` is one moment, which it gives; ``at`` or the present.

        A verdict that is made meanwhile can be made again from what is recorded and this moment.
        """
        with self._lock:
            outer = self._moment
            self._moment = self.now if at is None else at
            try:
                yield self._moment
            finally:
                self._moment = outer

    def requests(self, vm: str, *, evacuation: bool = False) -> list[int]:
        """The history's length just before each migration of a VM that the run requested, or each eviction."""
        with self._lock:
            return [index for name, evicts, index in self._requests if (name, evicts) == (vm, evacuation)]

    def until(self, index: int) -> History:
        """The history as it was just before a record, for verdicts on that time."""
        with self._lock:
            early = [record for record in self._records if record.index < index]
            if self._part is None or self._part[:2] != (index, len(early)):
                end = next((record.at for record in self._records if record.index >= index), self.now)
                self._part = (index, len(early), _Part(self, early, index, end))
            return self._part[2]

    def __len__(self) -> int:
        """How many states arrived, the dropped ones included."""
        with self._lock:
            return self._length

    @property
    def dropped(self) -> str:
        """What was dropped to bound the memory, in words; "" for nothing."""
        with self._lock:
            return self._dropped.told()

    def records(self, kind: Kind, name: str | None = None, since: int = 0, *, vm: str | None = None) -> list[Record]:
        """Transitions of a kind, of one object or of one VM's objects, from index ``since`` on, in order of arrival.

        LabError when some since then were dropped; with 0, all that are kept.
        """
        with self._lock:
            if name is not None:
                chosen = self._by_object.get((kind.name, name), [])
            elif vm is not None:
                chosen = self._by_vm.get((kind.name, vm), [])
            else:
                chosen = self._by_kind.get(kind.name, [])
            if since:
                self._dropped.require_kept(kind, name, vm, since)
            return chosen[bisect_left(chosen, since, key=_index) :]

    def require_kept(self, kind: Kind, vm: str, since: int) -> None:
        """LabError when states of a VM's objects were dropped that came at index ``since`` or later."""
        with self._lock:
            self._dropped.require_kept(kind, None, vm, since)

    def events_about(self, names: Iterable[str], since: int = 0) -> list[Record]:
        """Events about objects of these names, of any kind, from index ``since`` on, in order of arrival."""
        with self._lock:
            found = [record for name in set(names) for record in self._events_about.get(name, [])]
        return sorted((record for record in found if record.index >= since), key=_index)

    def current(self, kind: Kind, name: str) -> Object | None:
        """The newest state of an object, None when there is none or it was deleted."""
        with self._lock:
            record = self._current[kind.name].get(name)
            return record.object if record else None

    def all(self, kind: Kind, *, vm: str | None = None) -> list[Object]:
        """The newest state of every object of a kind that exists, or of those that belong to a VM."""
        with self._lock:
            found = self._current[kind.name] if vm is None else self._current_of_vm.get((kind.name, vm), {})
            return [record.object for record in found.values()]

    def by_uid(self, kind: Kind, vm: str, since: int = 0) -> dict[str, Object]:
        """Every object of a VM that was seen from index ``since`` on, by UID, in its last state; gone ones too."""
        return {record.uid: record.object for record in self.records(kind, since=since, vm=vm)}

    def state_before(self, kind: Kind, name: str, index: int) -> Object | None:
        """The state of an object just before ``index``. LabError when it was dropped."""
        with self._lock:
            early = [record for record in self._by_object.get((kind.name, name), []) if record.index < index]
            if not early:
                self._dropped.require_kept(kind, name, None, 0)
            return None if not early or early[-1].type == DELETED else early[-1].object

    def since_when(self, kind: Kind, name: str, test: Callable[[Object], bool]) -> float | None:
        """Since when, by the monotonic clock, ``test`` holds for an object without a break; None if it does not now."""
        start = None
        with self._lock:
            for record in reversed(self._by_object.get((kind.name, name), [])):
                if record.type == DELETED or not test(record.object):
                    break
                start = record.at
        return start

    # -- waiting ------------------------------------------------------------------------------------------------

    def wait(self, predicate: Callable[[], T | None], deadline: float, vms: Collection[str] | None = None) -> T | None:
        """Block until ``predicate`` gives something true; None once ``deadline`` (monotonic clock) is past.

        It is asked again when a record arrives that belongs to one of ``vms`` or to no VM; None stands for any record.
        """
        with self._lock:
            wait = Wait(self._lock, vms, with_events=True)
            self._waits.append(wait)
            try:
                while not (result := predicate()):
                    if not self._slept(wait, deadline):
                        return None
                return result
            finally:
                self._waits.remove(wait)

    def wait_for_each(self, vms: Collection[str], is_done: Callable[[str], object], deadline: float) -> list[str]:
        """Block until ``is_done`` of every VM; gives those of which it is not, once ``deadline`` is past.

        A VM is looked at again when something of it other than an event is recorded, and no other VM then.
        """
        with self._lock:
            wait = Wait(self._lock, vms, with_events=False)
            self._waits.append(wait)
            try:
                left = {vm for vm in vms if not is_done(vm)}
                while left and self._slept(wait, deadline):
                    for vm in vms if "" in wait.touched else wait.touched:
                        (left.discard if is_done(vm) else left.add)(vm)
                return [vm for vm in vms if vm in left]
            finally:
                self._waits.remove(wait)

    def _slept(self, wait: Wait, deadline: float) -> bool:
        """Sleep until something concerns the wait: True; or until the deadline: False."""
        wait.begin_anew()
        while not wait.touched:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            wait.sleep(left)
        return True

    def by_arrival(self) -> list[Record]:
        """All states that are kept, in the order in which they arrived."""
        with self._lock:
            return sorted(self._records, key=attrgetter("arrival"))

    def own_requests(self) -> list[tuple[str, bool, int]]:
        """What `expect_migration` remembered: VM, whether it was an eviction, and the history's length."""
        with self._lock:
            return list(self._requests)

    def json_lines(self) -> Iterator[str]:
        """One JSON object a record: wall time, type, kind, name, synthetic, object."""
        with self._lock:
            records = list(self._records)
        for record in records:
            yield json.dumps(
                {
                    "time": round(record.wall, 3),
                    "type": record.type,
                    "kind": record.kind,
                    "name": record.name,
                    "synthetic": record.synthetic,
                    "object": record.object,
                }
            )


class _Part(History):
    """A history that ended just before ``index``, at ``end``."""

    def __init__(self, whole: History, records: list[Record], index: int, end: float) -> None:
        super().__init__(lambda: end)
        self._dropped, self._requests, self._length = whole._dropped, list(whole._requests), index
        for record in records:
            for of_one in self._indexes(record):
                of_one.append(record)
            self._set_current(record)

    @property
    def now(self) -> float:
        return self._clock()
