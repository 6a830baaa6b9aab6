# SPDX-License-Identifier: Apache-2.0
"""One watch stream: list, then watch, for ever; whatever breaks is mended without losing a transition."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from urllib3.exceptions import HTTPError, ReadTimeoutError

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import Kind, Object, meta
from livenad.errors import LabError

logger = logging.getLogger(__name__)

WATCH_SECONDS = 20
"""After how many seconds the server is asked to end a watch; one that is silent for a margin longer is stalled."""

STOP_SECONDS = 2.0
_MARGIN_SECONDS = 5
_SHORTEST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_SHORTEST_WATCH = 0.1

_BEGIN_ANEW = (410, 504)
"""The version to watch from is too old, or one that the server does not know yet: a new list has one that will do."""

_TOO_OLD = re.compile(r"(?i)expired|compacted|too old|\bgone\b")

Keep = Callable[[Kind, Object], bool]
"""Tells of an object whether it is to be remembered."""


def _everything(_kind: Kind, _item: Object) -> bool:
    return True


class WatchStream:
    """Keeps ``history`` up to date with the objects of one kind, in one namespace or in all, from `start` to `stop`.

    Only what the selector ``labels`` chooses is asked for, and of that ``keep`` leaves out what it does not want. A
    selector that may change is a function; `select_again` applies it.
    """

    def __init__(
        self,
        cluster: Cluster,
        history: History,
        kind: Kind,
        namespace: str | None,
        *,
        labels: str | Callable[[], str] = "",
        keep: Keep = _everything,
        watch_seconds: int = WATCH_SECONDS,
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self._cluster = cluster
        self._history = history
        self._labels = labels if callable(labels) else lambda: labels
        self._selected = ""
        self._reselect = threading.Event()
        self._keep = keep
        self._watch_seconds = watch_seconds
        self._version = ""
        self._stop = threading.Event()
        self._synced = threading.Event()
        self._failure: Exception | None = None
        self._listed_at = float("-inf")
        self._arrived_since = False
        self._broken_since: float | None = None
        self._response: Any = None
        self._thread = threading.Thread(target=self._run, name=f"watch-{kind.plural}", daemon=True)

    def start(self) -> None:
        """Begin; `wait_synced` tells when the first list is in the history."""
        self._thread.start()

    def wait_synced(self, within: float) -> None:
        """Block until the first list is in. Raises what kept it from that: ApiError, or LabError after ``within`` s."""
        if not self._synced.wait(within):
            why = self._failure or f"no answer from API server {self._cluster.connection.server}"
            raise LabError(f"{self.title} could not be listed within {within:.0f} s: {why}")
        if self._failure is not None and not self._version:
            raise self._failure

    @property
    def title(self) -> str:
        """What this stream watches, for messages."""
        return f"{self.kind.name} objects in {self.namespace}" if self.namespace else f"{self.kind.name} objects"

    @property
    def broken(self) -> tuple[float, str] | None:
        """Since when (monotonic) and why the stream is broken, None while it works."""
        since, failure = self._broken_since, self._failure
        return None if since is None else (since, str(failure))

    def stop(self, within: float = STOP_SECONDS) -> None:
        """End the stream; returns when its thread is gone, which takes no time even on a quiet stream.

        One that waits for the first answer of a silent server is left to itself after ``within`` seconds.
        """
        self._stop.set()
        response = self._response
        if response is not None:
            _hang_up(response)
        if self._thread.is_alive():
            self._thread.join(within)

    def select_again(self) -> None:
        """List and watch by the selector as it is now, if it has changed."""
        if self._labels() != self._selected:
            self._reselect.set()
            response = self._response
            if response is not None:
                _hang_up(response)

    def refresh(self, patience: float | None = None) -> int:
        """List now and append what no watch event told; gives the number of such transitions."""
        began, self._arrived_since = time.monotonic(), False
        listing = self._cluster.list(self.kind, self.namespace, self._labels(), patience=patience)
        items = [item for item in listing.items if self._keep(self.kind, item)]
        found = self._history.absorb(self.kind, items, listing.resource_version)
        if not self._version:
            self._version = listing.resource_version
        self._listed_at = began
        return found

    def is_fresh(self, seconds: float) -> bool:
        """Whether the last list still stands: at most so old, nothing arrived or was written here since, no break."""
        unchanged = not self._arrived_since and self._broken_since is None
        return unchanged and self._listed_at > max(time.monotonic() - seconds, self._cluster.last_write)

    # -- thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = _SHORTEST_PAUSE
        while not self._stop.is_set():
            try:
                if self._reselect.is_set():
                    self._reselect.clear()
                    self._version = ""
                if not self._version:
                    self._selected = self._labels()
                    self.refresh()
                    self._synced.set()
                began = time.monotonic()
                self._watch()
                if time.monotonic() - began < _SHORTEST_WATCH:
                    self._stop.wait(max(pause, _SHORTEST_WATCH))
                    pause = min(pause * 2, _LONGEST_PAUSE)
                else:
                    pause = _SHORTEST_PAUSE
            except Exception as error:  # any failure of one stream is mended here, or told by `broken`
                if self._stop.is_set():
                    break
                if self._reselect.is_set():
                    continue
                if self._note(error):
                    break
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _note(self, error: Exception) -> bool:
        """Remember what broke; True when the stream can never work: the first list is forbidden or unknown."""
        self._failure = error
        self._broken_since = self._broken_since or time.monotonic()
        logger.debug("watch of %s broke: %s", self.title, error)
        if isinstance(error, ApiError) and error.status in (401, 403, 404) and not self._synced.is_set():
            self._synced.set()
            return True
        return False

    def _watch(self) -> None:
        query = {
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._watch_seconds),
        }
        if self._selected:
            query["labelSelector"] = self._selected
        response = self._cluster.open_watch(
            self.kind.path(self.namespace), query, self._watch_seconds + _MARGIN_SECONDS
        )
        self._response = response
        try:
            if self._stop.is_set() or self._reselect.is_set():
                return
            if response.status != 200:
                self._refused(response.status, response.read(4096))
                return
            self._failure, self._broken_since = None, None
            for line in _lines(response):
                if self._stop.is_set() or not self._take(json.loads(line)):
                    return
                if self._reselect.is_set():
                    return
        except ReadTimeoutError as error:
            raise LabError(f"watch of {self.title} stalled: nothing for {self._watch_seconds} s, no end") from error
        except (HTTPError, ValueError) as error:
            raise LabError(f"watch of {self.title} was cut: {error}") from error
        finally:
            self._response = None
            _hang_up(response)

    def _refused(self, status: int, body: bytes) -> None:
        if status in _BEGIN_ANEW:
            self._version = ""
            return
        if status == 401:
            self._cluster.connection.renew()
        raise LabError(f"watch of {self.title} was refused: {status} {body.decode(errors='replace')[:300]}")

    def _take(self, event: Object) -> bool:
        """Append one watch event; False when the stream must begin again."""
        item = event["object"]
        if event["type"] == "ERROR":
            # Whatever ended it: from a new list on nothing is missed, from the same version on it may end for ever.
            self._version = ""
            if item.get("code") in _BEGIN_ANEW or _TOO_OLD.search(f"{item.get('reason')} {item.get('message')}"):
                return False
            raise LabError(f"watch of {self.title} ended: {item.get('message', item)}")
        if event["type"] != "BOOKMARK" and self._keep(self.kind, item):
            self._arrived_since = True
            self._history.append(self.kind, event["type"], item)
        self._version = str(meta(item, "resourceVersion")) or self._version
        return True


def _lines(response: Any) -> Iterator[bytes]:
    """The lines of a streamed answer, each as soon as its end is here; a line without an end is dropped."""
    pending = b""
    for chunk in response.stream(65536, decode_content=False):
        pending += chunk
        if b"\n" in chunk:
            *whole, pending = pending.split(b"\n")
            yield from (line for line in whole if line.strip())


def _hang_up(response: Any) -> None:
    """Close a stream's socket, so that a reader blocked in it wakes up."""
    connection = getattr(response, "connection", None)
    sock = getattr(connection, "sock", None)
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):
            # the plain socket's method: that of a TLS socket drops its state under the reader's feet
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
    # The stream's thread and the one that stops it may close at once: http.client lets its file go in two steps.
    with contextlib.suppress(AttributeError):
        response.close()
