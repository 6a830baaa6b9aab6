# SPDX-License-Identifier: Apache-2.0
"""The HTTP handler of watches: GET with ``watch``, answered with a stream of events."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable

from aiohttp import web

from emulator.kube.errors import ApiError

from . import tables
from .content_negotiation import JSON, YAML
from .core import parse_version
from .http_call import HttpCall
from .objects import Obj
from .read_handlers import list_options
from .registry import Resource
from .render import item_bytes
from .responses import headers_for
from .store import Item, dump
from .watch_subscription import Change, Subscription

BOOKMARK_EVERY = 60.0
BOOKMARK_BEFORE_END = 1.5
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"


class _Encoder:
    """Encodes changes as lines; all watches that want the plain object share its bytes."""

    def __init__(self, http: HttpCall, resource: Resource) -> None:
        self._http = http
        self._resource = resource
        self._first = True
        self._include = http.request.query.get("includeObject", "Metadata")

    def lines(self, changes: Iterable[Change]) -> bytes:
        return b"".join(self.line(kind, item) for kind, item in changes)

    def line(self, kind: str, item: Item) -> bytes:
        core, resource, form = self._http.core, self._resource, self._http.accepted.form
        if form == "object":
            body = item_bytes(core, resource, item, self._http.info.version)
        else:
            body = dump(self._transformed(core.shown(resource, item.obj), item.rv))
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)

    def _transformed(self, obj: Obj, rv: int) -> Obj:
        accepted = self._http.accepted
        if accepted.form != "Table":
            return tables.partial_metadata(obj, accepted.version)
        metadata = {"resourceVersion": str(rv)}
        made = tables.table(self._resource, [obj], metadata, self._include, accepted.version)
        if not self._first:
            made["columnDefinitions"] = None
        self._first = False
        return made

    def bookmark(self, rv: int, *, initial: bool = False) -> bytes:
        resource, accepted = self._resource, self._http.accepted
        metadata: Obj = {"resourceVersion": str(rv)}
        if initial:
            metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
        obj: Obj = {
            "kind": resource.kind,
            "apiVersion": resource.api_version(self._http.info.version),
            "metadata": metadata,
        }
        if accepted.form == "Table":
            obj = tables.table(resource, [], {"resourceVersion": str(rv)}, self._include, accepted.version)
            obj["columnDefinitions"] = None if not self._first else obj["columnDefinitions"]
            self._first = False
            obj["rows"] = [{"cells": [], "object": tables.partial_metadata({"metadata": metadata})}]
        elif accepted.form != "object":
            obj = tables.partial_metadata(obj, accepted.version)
        return b'{"type":"BOOKMARK","object":%s}\n' % dump(obj, alphabetical=resource.custom)


async def watch_objects(http: HttpCall, resource: Resource) -> web.StreamResponse:
    """Streams events until the client disconnects, the timeout is over or the server stops."""
    core, query = http.core, http.request.query
    if http.accepted.media == YAML:
        raise ApiError(406, "NotAcceptable", f"only the following media types are accepted: {STREAMS}")
    list_options(http, watch=True)
    seconds = http.integer("timeoutSeconds") or random.randint(1800, 3600)  # noqa: S311
    rv_text = query.get("resourceVersion", "")
    given = parse_version(rv_text)
    matches = http.selector(resource)
    name = http.info.name if http.info.path.startswith(("/api/v1/watch/", f"/apis/{resource.group}/")) else ""
    encoder = _Encoder(http, resource)
    with core.subscribe(resource, http.info.namespace, matches, name) as subscription:
        first = b""
        initial = query.get("sendInitialEvents")
        synthetic = http.flag("sendInitialEvents") if initial is not None else rv_text in ("", "0")
        since = given
        error: ApiError | None = None
        if synthetic:
            items = [i for i in core.items(resource, http.info.namespace, matches) if not name or _named(i, name)]
            first = encoder.lines(("ADDED", item) for item in items)
            since = core.store.rv
            if initial is not None and http.flag("allowWatchBookmarks"):
                first += encoder.bookmark(since, initial=True)
        elif rv_text in ("", "0"):
            since = core.store.rv
        try:
            subscription.start(since)
        except ApiError as refused:
            error = refused
        response = await _begin(http)
        if error is not None:
            first = b'{"type":"ERROR","object":%s}\n' % dump(error.status())
        # A client may disconnect in the middle of a watch at any time.
        with contextlib.suppress(ConnectionError):
            if first:
                await response.write(first)
            if error is None:
                await _stream(http, encoder, subscription, response, float(seconds))
            await response.write_eof()
        return response


def _named(item: Item, name: str) -> bool:
    return bool(item.obj["metadata"]["name"] == name)


async def _begin(http: HttpCall) -> web.StreamResponse:
    response = web.StreamResponse()
    for header, value in headers_for(JSON, http.warnings):
        response.headers.add(header, value)
    response.enable_chunked_encoding()
    await response.prepare(http.request)
    return response


async def _stream(
    http: HttpCall, encoder: _Encoder, subscription: Subscription, response: web.StreamResponse, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    marks = http.flag("allowWatchBookmarks")
    next_mark = _next_mark(loop.time(), end) if marks else end
    while not subscription.closed:
        changes = await subscription.next(within=max(min(next_mark, end) - loop.time(), 0))
        if changes:
            await response.write(encoder.lines(changes))
        now = loop.time()
        if now >= end:
            return
        if marks and now >= next_mark:
            await response.write(encoder.bookmark(http.core.store.rv))
            next_mark = _next_mark(now, end)


def _next_mark(now: float, end: float) -> float:
    """Once a minute, and once shortly before the end."""
    last = end - BOOKMARK_BEFORE_END
    if now >= last - 0.001:
        return end + 1
    return min(now + BOOKMARK_EVERY, last)
