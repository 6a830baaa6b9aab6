# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes API as the libraries use it: JSON in and out, bounded retries, errors that name object and remedy.

A request that may have been carried out is never blindly repeated: a create is looked for by the run's label first, a
patch by what it was to bring about.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from livenad.api.api_errors import ApiError, Lost, explain_failure, explain_status
from livenad.api.connection import Connection, StreamOptions
from livenad.api.kinds import CREATED_BY_RUN, Kind, Object, dig, meta
from livenad.api.kubeconfig import PLUGIN_SECONDS
from livenad.api.pool import LOOK_UP_SHARE
from livenad.errors import LabError

Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 30.0
_SHORTEST_READ_SECONDS = 5.0
_BUSY = (429, 500, 502, 503, 504)
_NOT_CARRIED_OUT = (429,)
_OTHER_UID = "UID in precondition"
_CONFLICT = "please apply your changes to the latest version"
"""How an API server ends its refusal (409) of a write that met another one; it has not been carried out."""

_CONFLICT_SECONDS = 0.01
"""The first pause after such a refusal: the other client is done, and the server is not in trouble."""

_SHORT_PATIENCE = 1.0


@dataclass(frozen=True)
class Listing:
    """A list answer: the objects and the resourceVersion to watch from."""

    items: list[Object]
    resource_version: str


class Cluster:
    """A Kubernetes cluster. ``patience`` is for how long, in seconds, a failing request is tried again.

    ``longest_answer``: the seconds after which a request without an answer is given up.
    """

    PATIENCE = 30.0
    last_write: ClassVar[float] = float("-inf")
    """When (monotonic clock) this process last wrote anything to any cluster, as any user."""

    def __init__(
        self, connection: Connection, patience: float = PATIENCE, longest_answer: float = _READ_SECONDS
    ) -> None:
        self.connection = connection
        self.patience = patience
        self._longest = longest_answer
        self._silent_since: float | None = None
        self._clock_offset = 0.0
        self._closing = threading.Event()
        self._made: set[str] = set()

    # -- requests -----------------------------------------------------------------------------------------------

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object:
        """One object. Raises ApiError (``status`` 404 where there is none)."""
        return self.request("GET", kind.path(namespace, name), title=kind.title(namespace, name))

    def find(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None where there is none."""
        try:
            return self.get(kind, name, namespace)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, patience: float | None = None
    ) -> Listing:
        """All objects of a kind, in one namespace or in all, chosen by a label selector."""
        query = {"labelSelector": labels} if labels else {}
        title = kind.title(namespace, None)
        answer = self.request("GET", kind.path(namespace), query=query, title=title, patience=patience)
        items = [{"apiVersion": kind.api_version, "kind": kind.name} | item for item in answer.get("items") or []]
        return Listing(items, str(meta(answer, "resourceVersion")))

    def pages(self, kind: Kind, size: int) -> Iterator[tuple[Sequence[Object], int]]:
        """All objects of a kind by pages of ``size``, which are read as they are wanted; and how many are left then."""
        query = {"limit": str(size)}
        while True:
            answer = self.request("GET", kind.path(), query=query, title=kind.title(None, None))
            yield answer.get("items") or [], int(meta(answer, "remainingItemCount", 0) or 0)
            if not meta(answer, "continue"):
                return
            query["continue"] = str(meta(answer, "continue"))

    def create(self, kind: Kind, body: Object) -> Object:
        """Create an object that carries this run's label and give it as stored.

        When an answer was lost, an object of that name with the same run label is the one we made, unless it was there
        before.
        """
        name, namespace = meta(body, "name"), meta(body, "namespace", None)
        run = meta(body, "labels", {}).get(CREATED_BY_RUN)

        def ours() -> Object | None:
            found = self.find(kind, name, namespace) if run else None
            if found is None or meta(found, "uid") in self._made:
                return None
            return found if meta(found, "labels", {}).get(CREATED_BY_RUN) == run else None

        stored = self.request(
            "POST", kind.path(namespace), body=body, title=kind.title(namespace, name), carried_out=ours
        )
        self._made.add(str(meta(stored, "uid")))
        return stored

    def post_review(self, kind: Kind, body: Object) -> Object:
        """Post a review object (access review and the like): it stores nothing, so it may be repeated."""
        return self.request("POST", kind.path(), body=body, title=kind.name, repeatable=True)

    def json_patch(
        self, kind: Kind, name: str, namespace: str, operations: Sequence[Object], done: Callable[[Object], bool]
    ) -> Object:
        """Apply a JSON patch; ``done`` tells of an object whether the patch has been applied to it."""

        def applied() -> Object | None:
            found = self.get(kind, name, namespace)
            return found if done(found) else None

        return self.request(
            "PATCH",
            kind.path(namespace, name),
            body=operations,
            content_type="application/json-patch+json",
            title=kind.title(namespace, name),
            carried_out=applied,
        )

    def delete(
        self, kind: Kind, name: str, namespace: str | None = None, uid: str = "", resource_version: str = ""
    ) -> bool:
        """Delete an object, only the one with ``uid`` where given; False when it was gone already.

        With ``resource_version``: only while it is as it was read, otherwise ApiError 409.
        """
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        if resource_version:
            body["preconditions"] = {**body.get("preconditions", {}), "resourceVersion": resource_version}
        try:
            self.request(
                "DELETE", kind.path(namespace, name), body=body, title=kind.title(namespace, name), repeatable=True
            )
        except ApiError as error:
            if error.status == 404 or (uid and error.status == 409 and _OTHER_UID in str(error)):
                return False
            raise
        return True

    def request(
        self,
        verb: Verb,
        path: str,
        *,
        title: str = "",
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        repeatable: bool | None = None,
        carried_out: Callable[[], Object | None] | None = None,
        patience: float | None = None,
    ) -> Object:
        """Send one request, again where that is safe, until ``patience`` is over; just once after `close`.

        ``patience`` is the cluster's where none is given. ``repeatable``: sending it twice does no harm (always so for
        GET). ``carried_out``: asked after an answer was lost; gives the object when the request had been carried out
        after all. Raises ApiError, or LabError when the server cannot be reached.
        """
        repeatable = verb == "GET" if repeatable is None else repeatable
        what = f"{verb} {title or path}"
        patience = self._patience_left(self.patience if patience is None else patience)
        deadline = time.monotonic() + patience
        pause, conflict_pause, renewed, lost, tries = 0.25, _CONFLICT_SECONDS, False, False, 0
        while True:
            began = time.monotonic()
            left = deadline - began
            limit = min(self._longest, _read_limit(patience, left, tries)) if repeatable else self._longest
            headers = self.connection.headers(max(left, _SHORTEST_READ_SECONDS))
            headers["Accept"] = "application/json, */*"
            if body is not None:
                headers["Content-Type"] = content_type
            outcome = self._send(verb, path, query, body, headers=headers, limit=limit)
            if verb != "GET":
                Cluster.last_write = time.monotonic()
            tries += 1
            self._note(began, lost=isinstance(outcome, Lost))
            if isinstance(outcome, Lost):
                lost = lost or outcome.maybe_carried_out
                stale = outcome.final and not renewed and self.connection.has_new_certificate()
                if stale and self.connection.renew(max(left, _SHORTEST_READ_SECONDS)):
                    renewed = True
                    continue
                failure: LabError = explain_failure(outcome, what, self.connection)
                wait, hopeless = pause, outcome.final
            else:
                status, told, answer = outcome
                if status < 300 and answer.keys() != {"message"}:
                    return answer
                if status == 401 and not renewed and self.connection.renew(max(left, _SHORTEST_READ_SECONDS)):
                    renewed = True
                    continue
                failure = explain_status(status, answer, what, self.connection, told.get("Location", ""))
                conflict = status == 409 and _CONFLICT in str(failure) and not _guarded(body)
                hopeless = not conflict and (status not in _BUSY or _denied(answer))
                wait = _retry_after(told, conflict_pause if conflict else pause)
                lost = lost or (status in _BUSY and status not in _NOT_CARRIED_OUT)
            if lost and carried_out is not None and (found := carried_out()) is not None:
                return found
            if lost and carried_out is None and not repeatable:
                hopeless = True
            if hopeless or time.monotonic() + wait > deadline:
                raise failure
            if self._closing.wait(wait):
                raise failure
            pause, conflict_pause = (min(one * 2, 4.0) for one in (pause, conflict_pause))

    def _patience_left(self, patience: float) -> float:
        """A server that has been silent for a whole patience gets a short one until it answers again."""
        if self._silent_since is None:
            return patience
        left = self._silent_since + self.patience - time.monotonic()
        return min(patience, max(min(_SHORT_PATIENCE, self.patience), left))

    def _note(self, began: float, *, lost: bool) -> None:
        if not lost:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = began

    def open_watch(self, path: str, query: Mapping[str, str], read_timeout: float) -> urllib3.BaseHTTPResponse:
        """A streaming GET, not retried; the caller reads and releases it. Raises urllib3's errors."""
        return self.connection.pool.request(
            "GET",
            self._url(path, query),
            headers=self.connection.headers(read_timeout)
            | {"Accept": "application/json", "Accept-Encoding": "identity"},
            preload_content=False,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_timeout),
        )

    # -- the rest -----------------------------------------------------------------------------------------------

    def stream_options(self, within: float = PLUGIN_SECONDS) -> StreamOptions:
        """What a websocket client needs to open a stream now; ``within`` is for credentials that have expired."""
        return self.connection.stream_options(within)

    def server_time(self) -> float:
        """Seconds since the epoch by the API server's clock, as seen in its last answer; a second is its precision."""
        return time.time() + self._clock_offset

    def close(self) -> None:
        """Give up waiting retries and close idle connections."""
        self._closing.set()
        self.connection.close()

    def _url(self, path: str, query: Mapping[str, str] | None) -> str:
        return self.connection.server + path + (f"?{urlencode(query)}" if query else "")

    def _send(
        self,
        verb: Verb,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        *,
        headers: urllib3.HTTPHeaderDict,
        limit: float,
    ) -> tuple[int, Mapping[str, str], Object] | Lost:
        pool, began = self.connection.pool, time.monotonic()
        try:
            answer = pool.request(
                verb,
                self._url(path, query),
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                retries=False,
                timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, limit / LOOK_UP_SHARE), read=limit),
            )
            raw = answer.data
        except (HTTPError, OSError) as error:
            self.connection.discard(pool)
            return Lost(error, time.monotonic() - began)
        self._set_clock(answer.headers.get("Date"))
        return answer.status, answer.headers, _decode(raw)

    def _set_clock(self, date: str | None) -> None:
        if date:
            try:
                self._clock_offset = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
            except ValueError:
                return


def _read_limit(patience: float, left: float, tries: int) -> float:
    """For how long to wait for an answer that may be asked for again: the connection may be dead, and say nothing.

    A third of the patience is for the first try; the next ones, on new connections, have all that is left.
    """
    return max(min(_SHORTEST_READ_SECONDS, patience), patience / 3 if tries == 0 else left)


def _denied(answer: Object) -> bool:
    """Whether a rule of the cluster refuses a request, whatever its status: evictions get 429 so."""
    return str(answer.get("message", "")).startswith("admission webhook ")


def _guarded(body: Any) -> bool:
    """Whether a write holds for one version of its object only: sent again it would be refused again."""
    if isinstance(body, list):
        return any(operation.get("path") == "/metadata/resourceVersion" for operation in body)
    guards = (dig(body or {}, part, "resourceVersion") for part in ("metadata", "preconditions"))
    return any(guards)


def _decode(raw: bytes) -> Object:
    """A JSON object, or what else came under ``message`` alone: proxies and aggregated APIs answer in plain text."""
    text = raw.decode(errors="replace").strip()
    try:
        decoded = json.loads(text) if text else {}
    except ValueError:
        return {"message": text[:500]}
    return decoded if isinstance(decoded, dict) else {"message": text[:500]}


def _retry_after(headers: Mapping[str, str], otherwise: float) -> float:
    value = headers.get("Retry-After", "")
    return max(otherwise, float(value)) if value.isdigit() else otherwise
