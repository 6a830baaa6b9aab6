"""The history of a namespace: every state of every object that the API server showed, in the order of arrival.

If a list returns newer state before the watch does, late watch events are inserted in resourceVersion order.

Waits are predicates over it, *never happened* checks scan it, the evidence is it. It is asked by kind, by object and by
VM; a wait is woken by the records that concern it.
"""

from __future__ import annotations

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from livenad.api.kinds import EVENT, Kind, Object, dig, meta, vm_of

T = TypeVar("T")
_index = attrgetter("index")

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


@dataclass(frozen=True)
class Record:
    """One transition of one object.

    ``index`` counts from 0 over the whole history; ``at`` is the monotonic clock and ``wall`` seconds since the epoch,
    both at arrival; ``synthetic`` marks a transition that a list showed and no watch event told. A state that arrives
    when a list has shown a later one of the object already stands before that one, with its index and times. ``vm`` is
    the VM that the object belongs to, "" for none.
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


def newer(one: str, other: str) -> bool:
    """Whether resourceVersion ``one`` is later than ``other``; versions that are no numbers compare by difference."""
    if one.isdigit() and other.isdigit():
        return int(one) > int(other)
    return one != other


def _precedes(version: str, record: Record) -> bool:
    """Whether a resourceVersion is known to be earlier than that of a record."""
    return version.isdigit() and record.resource_version.isdigit() and newer(record.resource_version, version)


def _put_before(records: list[Record], later: Record | None, record: Record) -> None:
    """Insert before ``later``; at the end if there is none."""
    place = len(records)
    if later is not None:
        while place and records[place - 1].index >= later.index:
            place -= 1
            if records[place] is later:
                break
    records.insert(place, record)


class History:
    """Append-only and thread-safe. ``condition`` is notified at each append. ``clock`` stamps what arrives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.condition = threading.Condition(threading.RLock())
        self._records: list[Record] = []
        self._by_object: dict[tuple[str, str], list[Record]] = {}
        self._by_kind: dict[str, list[Record]] = {}
        self._by_vm: dict[tuple[str, str], list[Record]] = {}
        self._arrived: list[str] = []
        self._current: dict[str, dict[str, Record]] = {}
        self._seen: set[tuple[str, str, str, str]] = set()

    # -- writing ------------------------------------------------------------------------------------------------

    def append(self, kind: Kind, type_: str, item: Object, *, synthetic: bool = False) -> Record | None:
        """Remember one transition; None when it is remembered already (a list and a watch may both tell it)."""
        metadata = item.get("metadata", {})
        metadata.pop("managedFields", None)
        name, uid, version = str(metadata["name"]), str(metadata.get("uid", "")), str(metadata["resourceVersion"])
        seen = (kind.name, uid, version, DELETED if type_ == DELETED else "")
        with self.condition:
            if seen in self._seen:
                return None
            self._seen.add(seen)
            own = self._by_object.setdefault((kind.name, name), [])
            overtaken = bool(own) and _precedes(version, own[-1])
            later = next((r for r in own if r.uid == uid and _precedes(version, r)), None) if overtaken else None
            index, at, wall = (
                (later.index, later.at, later.wall) if later else (len(self._records), self._clock(), time.time())
            )
            record = Record(
                index, at, wall, type_, kind.name, name, uid, version, item, synthetic, self._vm_of(kind, item)
            )
            for records in (
                self._records,
                own,
                self._by_kind.setdefault(kind.name, []),
                self._by_vm.setdefault((kind.name, record.vm), []),
            ):
                _put_before(records, later, record)
            self._arrived.append(record.vm)
            self._set_current(record)
            self.condition.notify_all()
            return record

    def _vm_of(self, kind: Kind, item: Object) -> str:
        """An event belongs to the VM of the object that it is about, once that was seen."""
        if kind is not EVENT:
            return vm_of(kind, item)
        about = dig(item, "involvedObject", default={})
        known = self._by_object.get((str(about.get("kind")), str(about.get("name"))))
        return known[-1].vm if known else ""

    def absorb(self, kind: Kind, items: list[Object], resource_version: str) -> int:
        """Compare a list with what is known and append what no watch event told; gives the number of transitions."""
        found = 0
        with self.condition:
            known = dict(self._current.get(kind.name, {}))
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
        current = self._current.setdefault(record.kind, {})
        before = current.get(record.name)
        if record.type == DELETED:
            if before is not None and before.uid == record.uid:
                del current[record.name]
        elif before is None or before.uid != record.uid or newer(record.resource_version, before.resource_version):
            current[record.name] = record

    # -- reading ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        with self.condition:
            return len(self._records)

    def records(self, kind: Kind, name: str | None = None, since: int = 0, *, vm: str | None = None) -> list[Record]:
        """Transitions of a kind, of one object or of one VM's objects, from index ``since`` on, in order of arrival."""
        with self.condition:
            if name is not None:
                chosen = self._by_object.get((kind.name, name), [])
            elif vm is not None:
                chosen = self._by_vm.get((kind.name, vm), [])
            else:
                chosen = self._by_kind.get(kind.name, [])
            return chosen[bisect_left(chosen, since, key=_index) :]

    def current(self, kind: Kind, name: str) -> Object | None:
        """The newest state of an object, None when there is none or it was deleted."""
        with self.condition:
            record = self._current.get(kind.name, {}).get(name)
            return record.object if record else None

    def all(self, kind: Kind, *, vm: str | None = None) -> list[Object]:
        """The newest state of every object of a kind that exists, or of those that belong to a VM."""
        with self.condition:
            found = self._current.get(kind.name, {}).values()
            return [record.object for record in found if vm in (None, record.vm)]

    def state_before(self, kind: Kind, name: str, index: int) -> Object | None:
        """The state of an object just before ``index``."""
        with self.condition:
            last = None
            for record in self._by_object.get((kind.name, name), []):
                if record.index >= index:
                    break
                last = record
            return None if last is None or last.type == DELETED else last.object

    def since_when(self, kind: Kind, name: str, test: Callable[[Object], bool]) -> float | None:
        """Since when, by the monotonic clock, ``test`` holds for an object without a break; None if it does not now."""
        start = None
        with self.condition:
            for record in self._by_object.get((kind.name, name), []):
                if record.type == DELETED or not test(record.object):
                    start = None
                elif start is None:
                    start = record.at
        return start

    def wait(self, predicate: Callable[[], T | None], deadline: float, vms: Collection[str] | None = None) -> T | None:
        """Block until ``predicate`` gives something true; None once ``deadline`` (monotonic clock) is past.

        It is asked again when a record arrives that belongs to one of ``vms`` or to no VM; None stands for any record.
        """
        with self.condition:
            while True:
                result = predicate()
                if result:
                    return result
                seen = len(self._arrived)
                while not self._concerns(seen, vms):
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return None
                    seen = len(self._arrived)
                    self.condition.wait(left)

    def _concerns(self, since: int, vms: Collection[str] | None) -> bool:
        """Whether one of the records that arrived after the first ``since`` belongs to one of ``vms``."""
        if vms is None:
            return len(self._arrived) > since
        return any(not vm or vm in vms for vm in self._arrived[since:])

    def json_lines(self) -> Iterator[str]:
        """One JSON object a record: wall time, type, kind, name, synthetic, object."""
        with self.condition:
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

    def save(self, path: Path) -> None:
        """Write the history as JSON lines."""
        with path.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self.json_lines())
