# SPDX-License-Identifier: Apache-2.0
"""The recorder of a test namespace: one watch stream per kind into one history, and the one way to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import EVENT, NAD, RECORDED, Kind, Object
from livenad.api.watch import STOP_SECONDS, WATCH_SECONDS, WatchStream
from livenad.errors import LabError
from livenad.text import human, wait_line

T = TypeVar("T")
Heartbeat = Callable[[str], None]

HEARTBEAT_SECONDS = 10.0
FRESH_SECONDS = 2.0
"""How long a list stands for the cluster when nothing has changed since."""

_NOT_JUDGED = (EVENT, NAD)
_NAMED = 5
"""How many of many VMs a heartbeat names."""

_SYNC_SECONDS = 30.0

LAST_LOOK_SECONDS = 4.5
"""For how long an API server may be silent at the end of a wait, which is to last hardly longer than it may."""


def silent(_: str) -> None:
    """The heartbeat of a wait without progress messages."""


class Naming(Protocol):
    """What tells the objects of one suite from others in a namespace that suites share."""

    def owns(self, kind: Kind, item: Object) -> bool:
        """Whether an object is the suite's."""
        ...

    def selector(self, kind: Kind) -> str:
        """A label selector of what is the suite's, "" where no label tells."""
        ...


class Recorder:
    """Records a namespace from `start` to `stop`. ``heartbeat`` gets a line every ten seconds of a long wait.

    Of a namespace that is shared only what is the suite's by its ``naming``.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        heartbeat: Heartbeat = silent,
        kinds: Sequence[Kind] = RECORDED,
        watch_seconds: int = WATCH_SECONDS,
        *,
        naming: Naming | None = None,
    ) -> None:
        self.namespace = namespace
        keep = naming.owns if naming is not None else _everything
        self.history = History()
        self._heartbeat = heartbeat
        self._streams = {
            kind: WatchStream(
                cluster,
                self.history,
                kind,
                namespace,
                labels=partial(naming.selector, kind) if naming is not None else "",
                keep=keep,
                watch_seconds=watch_seconds,
            )
            for kind in kinds
        }

    def start(self) -> None:
        """Begin to record; returns when every kind has been listed. Raises LabError or ApiError naming the kind.

        Events are told as evidence and no verdict reads them: without the right to watch them they are left out.
        """
        for stream in self._streams.values():
            stream.start()
        for kind, stream in list(self._streams.items()):
            try:
                stream.wait_synced(_SYNC_SECONDS)
            except ApiError as error:
                if kind is not EVENT or error.status != 403:
                    self.stop()
                    raise
                del self._streams[kind]
            except LabError:
                self.stop()
                raise

    def records(self, kind: Kind) -> bool:
        """Whether objects of a kind are recorded: events are not where they may not be watched."""
        return kind in self._streams

    def select_again(self) -> None:
        """Record by the selectors of the ``naming`` as they are now: VMs were added to the suite."""
        for stream in self._streams.values():
            stream.select_again()

    def stop(self) -> None:
        """End all streams, at the same time; the history stays readable."""
        for stream in self._streams.values():
            stream.stop(within=0.0)
        deadline = time.monotonic() + STOP_SECONDS
        for stream in self._streams.values():
            stream.stop(max(0.0, deadline - time.monotonic()))

    def catch_up(self, *, unless_fresh: bool = False, patience: float | None = None) -> int:
        """List every kind once more and append what no watch told; gives the number of such transitions.

        Asked before a verdict: a broken watch must not turn into a fault of the product. With ``unless_fresh`` a kind
        is left out when it was listed a moment ago, nothing of it has arrived since, its watch is whole, and this
        process has written nothing. Raises LabError when the API server cannot be read for ``patience`` seconds, those
        of the cluster where none are given.
        """
        asked = [stream for kind, stream in self._streams.items() if kind not in _NOT_JUDGED]
        stale = [stream for stream in asked if not (unless_fresh and stream.is_fresh(FRESH_SECONDS))]
        if not stale:
            return 0
        with ThreadPoolExecutor(len(stale), "list") as pool:
            return sum(pool.map(lambda stream: stream.refresh(patience), stale))

    def broken_streams(self) -> list[str]:
        """One line for each stream that is broken now."""
        now = time.monotonic()
        return [
            f"watch of {stream.title} is broken since {human(now - broken[0])}: {broken[1]}"
            for stream in self._streams.values()
            if (broken := stream.broken) is not None
        ]

    def wait_for(
        self,
        predicate: Callable[[History], T | None],
        within: float,
        awaited: str,
        seen: Callable[[], str],
        *,
        vms: Collection[str] | None = None,
        look_every: float | None = None,
    ) -> T | None:
        """Wait until ``predicate`` of the history gives something true, and give it; None after ``within`` seconds.

        Before it gives up it reads the cluster once more, so a None is about the cluster and not about the recorder.
        ``awaited`` and ``seen`` are for the heartbeat: what is awaited, and the last state of it. ``vms`` are the VMs
        that the predicate looks at: it is asked again when something of theirs is recorded; None stands for all.
        ``look_every``: seconds until the cluster is read again, for what is over before a silent watch is noticed.
        """

        def found() -> T | None:
            return predicate(self.history)

        for until in self._beats(within, awaited, seen, look_every):
            if result := self.history.wait(found, until, vms):
                return result
        return found() or None

    def wait_for_each(
        self,
        vms: Sequence[str],
        is_done: Callable[[str], object],
        within: float,
        awaited: str,
        seen: Callable[[str], str],
    ) -> list[str]:
        """Wait until ``is_done`` of every VM; gives those of which it is not after ``within`` seconds.

        ``is_done`` reads objects of the VM alone, and no events. ``seen`` is for the heartbeat: what a VM lacks.
        """
        left: list[str] = list(vms)

        def lacking() -> str:
            first = "; ".join(f"{vm}: {seen(vm)}" for vm in left[:_NAMED])
            return f"{len(left)} of {len(vms)} VMs not yet: {first}" + ("; ..." if len(left) > _NAMED else "")

        for until in self._beats(within, awaited, lacking):
            left = self.history.wait_for_each(vms, is_done, until)
            if not left:
                return []
        return [vm for vm in vms if not is_done(vm)]

    def _beats(
        self, within: float, awaited: str, seen: Callable[[], str], look_every: float | None = None
    ) -> Iterator[float]:
        """The ends (monotonic clock) of the parts of a wait, with a heartbeat now and then, a list after the last."""
        start = told = time.monotonic()
        deadline = start + within
        while True:
            yield min(deadline, time.monotonic() + (look_every or HEARTBEAT_SECONDS))
            now = time.monotonic()
            if now >= deadline:
                self.catch_up(patience=LAST_LOOK_SECONDS)
                return
            if look_every:
                self.catch_up(unless_fresh=True)
            if now - told >= HEARTBEAT_SECONDS or not look_every:
                told = now
                self._heartbeat(wait_line(seen(), awaited, now - start, deadline - now))


def _everything(_kind: Kind, _item: Object) -> bool:
    return True
