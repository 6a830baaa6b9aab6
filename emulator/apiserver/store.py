# SPDX-License-Identifier: Apache-2.0
"""The versioned store: objects, one revision counter, and a bounded window of events per resource."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from .objects import Obj

Key = tuple[str, str]
# The first revision is large, as on a real cluster, so that it cannot be mistaken for a counter; older ones are
# expired.
FIRST_REVISION = 1000
Listener = Callable[["Event"], None]
Later = Callable[[float, Callable[[Obj], None]], None]
Written = Callable[[Obj, Obj | None, Later], Obj]
"""What is stored in place of an object that is written, by the object and the one before it."""
_DUMPS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_DUMPS_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def dump(value: Any, *, alphabetical: bool = False) -> bytes:
    """Compact JSON as the real server writes it, without the newline at its end."""
    return (_DUMPS_SORTED if alphabetical else _DUMPS)(value).encode()


class Item:
    """One version of one object. Never changed after the commit; its bytes are made once for each form."""

    __slots__ = ("_bytes", "obj", "rv")

    def __init__(self, obj: Obj, rv: int) -> None:
        self.obj = obj
        self.rv = rv
        self._bytes: dict[str, bytes] = {}

    def cached(self, form: str, make: Callable[[Obj], bytes]) -> bytes:
        """The bytes called ``form``, made by ``make`` at the first call."""
        found = self._bytes.get(form)
        if found is None:
            found = self._bytes[form] = make(self.obj)
        return found


class Event:
    """One commit: ``type`` is ADDED, MODIFIED or DELETED.

    ``item`` is the object after the commit (for DELETED: its last state under the new resourceVersion), ``before`` the
    one it replaced.
    """

    __slots__ = ("before", "bucket", "item", "key", "leaving", "rv", "type")

    def __init__(self, type_: str, bucket: str, key: Key, item: Item, before: Item | None) -> None:
        self.type = type_
        self.bucket = bucket
        self.key = key
        self.item = item
        self.before = before
        self.rv = item.rv
        self.leaving: Item | None = None

    def left(self) -> Item:
        """What a watch sends if the object left its selector: the old object under the new resourceVersion."""
        if self.leaving is None:
            self.leaving = with_version((self.before or self.item).obj, self.rv)
        return self.leaving


def with_version(obj: Obj, rv: int) -> Item:
    """The object under another resourceVersion; shares all but the metadata."""
    return Item({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(rv)}}, rv)


class Bucket:
    """The objects of one resource. ``dropped`` is the newest revision that fell out of the event window."""

    def __init__(self, name: str, window: int, start: int) -> None:
        self.name = name
        self.items: dict[Key, Item] = {}
        self.events: deque[Event] = deque()
        self.window = window
        self.dropped = start
        self.rv = start
        self.listeners: list[Listener] = []

    def sorted_items(self, namespace: str = "") -> list[Item]:
        found = self.items
        if namespace:
            return [found[key] for key in sorted(key for key in found if key[0] == namespace)]
        return [found[key] for key in sorted(found)]

    def at(self, rv: int) -> dict[Key, Item] | None:
        """The objects as they were at a revision; None when the window no longer reaches back to it."""
        if rv < self.dropped:
            return None
        state = dict(self.items)
        for event in reversed(self.events):
            if event.rv <= rv:
                break
            if event.before is None:
                state.pop(event.key, None)
            else:
                state[event.key] = event.before
        return state

    def record(self, event: Event) -> None:
        self.rv = event.rv
        self.events.append(event)
        while len(self.events) > self.window:
            self.dropped = self.events.popleft().rv
        for listener in tuple(self.listeners):
            listener(event)


class Stale(Exception):
    """The object is no longer the one that the writer read."""


class Store:
    """All buckets under one revision counter. Every method is synchronous: a commit is atomic in the event loop."""

    def __init__(self, *, window: int = 4096) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._window = window
        self.rv = FIRST_REVISION
        self.listeners: list[Listener] = []
        self.written: Written | None = None
        self._closers: list[Callable[[], None]] = []

    def bucket(self, name: str) -> Bucket:
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = Bucket(name, self._window, FIRST_REVISION)
        return found

    def get(self, bucket: str, key: Key) -> Item | None:
        return self.bucket(bucket).items.get(key)

    def commit(self, bucket: str, key: Key, obj: Obj, expected: Item | None) -> Item:
        """Stores ``obj`` in place of ``expected`` (None: it must not exist yet); ``Stale`` when that is not so."""
        home = self.bucket(bucket)
        if home.items.get(key) is not expected:
            raise Stale
        if self.written:
            obj = self.written(obj, expected.obj if expected else None, partial(self._change_later, bucket, key))
        self.rv += 1
        obj["metadata"]["resourceVersion"] = str(self.rv)
        item = Item(obj, self.rv)
        home.items[key] = item
        self._publish(home, Event("ADDED" if expected is None else "MODIFIED", bucket, key, item, expected))
        return item

    def remove(self, bucket: str, key: Key, expected: Item) -> Item:
        """Removes the object; answers its last state under the revision of the removal."""
        home = self.bucket(bucket)
        if home.items.get(key) is not expected:
            raise Stale
        self.rv += 1
        del home.items[key]
        last = with_version(expected.obj, self.rv)
        self._publish(home, Event("DELETED", bucket, key, last, expected))
        return last

    def _change_later(self, bucket: str, key: Key, seconds: float, change: Callable[[Obj], None]) -> None:
        """Changes the object as it is after some seconds, if it is still there."""

        def write() -> None:
            item = self.get(bucket, key)
            if item:
                obj = copy.deepcopy(item.obj)
                change(obj)
                self.commit(bucket, key, obj, item)

        asyncio.get_running_loop().call_later(seconds, write)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Calls ``closer`` when the store closes."""
        self._closers.append(closer)

    def off_close(self, closer: Callable[[], None]) -> None:
        if closer in self._closers:
            self._closers.remove(closer)

    def close(self) -> None:
        """Ends every watch; the objects stay."""
        for closer in tuple(self._closers):
            closer()

    def compact(self) -> None:
        """Forgets all past events: an older resourceVersion is then expired for a watch or a continued list."""
        for bucket in self._buckets.values():
            bucket.events.clear()
            bucket.dropped = self.rv

    def _publish(self, home: Bucket, event: Event) -> None:
        home.record(event)
        for listener in tuple(self.listeners):
            listener(event)
