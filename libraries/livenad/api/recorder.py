"""The recorder of a test namespace: one watch stream per kind into one history, and the one way to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import EVENT, RECORDED, Kind, Object
from livenad.api.watch import WATCH_SECONDS, WatchStream
from livenad.errors import LabError
from livenad.text import human

T = TypeVar("T")
Heartbeat = Callable[[str], None]

HEARTBEAT_SECONDS = 10.0
_SYNC_SECONDS = 30.0


def silent(_: str) -> None:
    """The heartbeat of a wait without progress messages."""


class Naming(Protocol):
    """What tells the objects of one suite from others in a namespace that suites share."""

    def owns(self, kind: Kind, item: Object) -> bool:
        """Whether an object is the suite's."""
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
            kind: WatchStream(cluster, self.history, kind, namespace, keep=keep, watch_seconds=watch_seconds)
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

    def stop(self) -> None:
        """End all streams; the history stays readable."""
        for stream in self._streams.values():
            stream.stop()

    def catch_up(self) -> int:
        """List every kind once more and append what no watch told; gives the number of such transitions.

        Asked before a verdict: a broken watch must not turn into a fault of the product. Raises LabError when the
        API server cannot be read.
        """
        return sum(stream.refresh() for kind, stream in self._streams.items() if kind is not EVENT)

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
    ) -> T | None:
        """Wait until ``predicate`` of the history gives something true, and give it; None after ``within`` seconds.

        Before it gives up it reads the cluster once more, so a None is about the cluster and not about the recorder.
        ``awaited`` and ``seen`` are for the heartbeat: what is awaited, and the last state of it. ``vms`` are the VMs
        that the predicate looks at: it is asked again when something of theirs is recorded; None stands for all.
        """
        start = time.monotonic()
        deadline, beat = start + within, start + HEARTBEAT_SECONDS

        def found() -> T | None:
            return predicate(self.history)

        while True:
            result = self.history.wait(found, min(deadline, beat), vms)
            if result:
                return result
            now = time.monotonic()
            if now >= deadline:
                self.catch_up()
                return found() or None
            self._heartbeat(f"{awaited}: {seen()}; {human(now - start)} gone, {human(deadline - now)} left")
            beat = now + HEARTBEAT_SECONDS


def _everything(_kind: Kind, _item: Object) -> bool:
    return True
