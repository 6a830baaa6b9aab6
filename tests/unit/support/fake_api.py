# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server that behaves as an API server in what the libraries rely on: lists, watches, faults.

Objects lie by collection path. What it serves is scripted by the tests; it knows nothing of the libraries.
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]


@dataclass
class Seen:
    """A request as it came in."""

    verb: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Fault:
    """What befalls the next request whose verb and path match: a status, or a connection that breaks.

    ``after`` true: the request is carried out first, and only its answer is lost.
    """

    verb: str
    path: str
    status: int = 0
    after: bool = False
    message: str = "injected"
    headers: dict[str, str] = field(default_factory=dict)


class FakeApi:
    """Start with ``with FakeApi() as api``; ``api.url`` is where it listens.

    ``aliases``: collections that are one, such as that of all namespaces and that of the only one. ``once``: by verb,
    what happens just before the next such request is carried out. ``delay``: seconds before each answer. ``hanging``:
    names of objects whose PATCH gets no answer.
    """

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.version = 100
        self.objects: dict[tuple[str, str], Object] = {}
        self.log: list[tuple[int, str, str, Object]] = []
        self.oldest = 0
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        # Whether objects are given generations, which a patch counts up.
        self.generations = False
        self.silent_watches = False
        self.mute_watches = False
        self.epoch = 0
        self.answers: dict[tuple[str, str], Object] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self.aliases: dict[str, str] = {}
        self.once: dict[str, Callable[[], object]] = {}
        self.hanging: set[str] = set()
        self.closed = False
        self.delay = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeApi:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.condition:
            self.closed = True
            self.condition.notify_all()
        self._server.shutdown()
        self._server.server_close()

    # -- what happens on the cluster ----------------------------------------------------------------------------

    def put(self, path: str, item: Object) -> Object:
        """Create or change an object; watchers are told."""
        with self.condition:
            name = item["metadata"]["name"]
            self.version += 1
            stored = copy.deepcopy(item)
            old = self.objects.get((path, name))
            meta = stored["metadata"]
            meta["resourceVersion"] = str(self.version)
            meta.setdefault("uid", old["metadata"]["uid"] if old else f"uid-{self.version}")
            self.objects[path, name] = stored
            self.log.append((self.version, path, "MODIFIED" if old else "ADDED", stored))
            self.condition.notify_all()
            return copy.deepcopy(stored)

    def remove(self, path: str, name: str) -> None:
        """Delete an object; watchers are told."""
        with self.condition:
            self.version += 1
            item = copy.deepcopy(self.objects.pop((path, name)))
            item["metadata"]["resourceVersion"] = str(self.version)
            self.log.append((self.version, path, "DELETED", item))
            self.condition.notify_all()

    def cut_watches(self) -> None:
        """Break every open watch in the middle of a line."""
        with self.condition:
            self.epoch += 1
            self.condition.notify_all()

    def compact(self) -> None:
        """Forget the past: a watch from before now is answered 410."""
        with self.condition:
            self.oldest = self.version

    def requests(self, verb: str, part: str = "") -> list[Seen]:
        with self.condition:
            return [seen for seen in self.seen if seen.verb == verb and part in seen.path]

    def fault(self, verb: str, path: str) -> Fault | None:
        with self.condition:
            for fault in self.faults:
                if fault.verb == verb and fault.path in path:
                    self.faults.remove(fault)
                    return fault
            return None


def _handler_of(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two writes: the second one would wait 40 ms for the acknowledgment of the first.
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are in ``api.seen``."""

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def do_PUT(self) -> None:
            self._serve("PUT")

        def do_PATCH(self) -> None:
            self._serve("PATCH")

        def do_DELETE(self) -> None:
            self._serve("DELETE")

        def _serve(self, verb: str) -> None:
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            with api.condition:
                api.seen.append(Seen(verb, url.path, query, dict(self.headers), body))
                api.condition.notify_all()
                if verb == "PATCH" and (name := url.path.rpartition("/")[2]) in api.hanging:
                    api.condition.wait_for(lambda: name not in api.hanging or api.closed)
                    self.close_connection = True
                    return
            time.sleep(api.delay)
            fault = api.fault(verb, url.path)
            if fault is not None and not fault.after:
                self._break(fault)
                return
            if "watch" in query:
                self._watch(url.path, query)
                return
            status, answer = _act(api, verb, url.path, body)
            if "items" in answer:
                answer["items"] = [item for item in answer["items"] if _chosen(item, query.get("labelSelector", ""))]
            if fault is not None:
                self._break(fault)
                return
            self._answer(status, answer)

        def _break(self, fault: Fault) -> None:
            if fault.status:
                self._answer(fault.status, _status(fault.status, fault.message), fault.headers)
            else:
                self.close_connection = True
                self.connection.close()

        def _answer(self, status: int, answer: Object, headers: dict[str, str] | None = None) -> None:
            raw = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _watch(self, path: str, query: dict[str, str]) -> None:
            start, selector = int(query["resourceVersion"]), query.get("labelSelector", "")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for event in _events(api, path, start, float(query.get("timeoutSeconds", "60"))):
                    if event and event["type"] != "ERROR" and not _chosen(event["object"], selector):
                        continue
                    self._chunk(json.dumps(event).encode() + b"\n" if event else b'{"type":"MODI')
                    if event is None:
                        self.close_connection = True
                        self.connection.close()
                        return
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True

        def _chunk(self, raw: bytes) -> None:
            self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
            self.wfile.flush()

    return Handler


def _paths(collection: str) -> tuple[str, ...]:
    """Where a collection is served: by itself, and as a part of that of all namespaces."""
    root, inside, rest = collection.partition("/namespaces/")
    return (collection, f"{root}/{rest.rpartition('/')[2]}") if inside else (collection,)


def _chosen(item: Object, selector: str) -> bool:
    """Whether a selector of one term, ``key``, ``key=value`` or ``key in (values)``, chooses an object."""
    labels = item["metadata"].get("labels", {})
    if " in (" in selector:
        key, _, values = selector.rstrip(")").partition(" in (")
        return labels.get(key) in values.split(",")
    key, _, value = selector.partition("=")
    return not selector or (key in labels and value in ("", labels[key]))


def _events(api: FakeApi, path: str, start: int, seconds: float) -> Iterator[Object | None]:
    """Events of a watch from version ``start``; None: the connection breaks here."""
    with api.condition:
        epoch = api.epoch
        if start < api.oldest:
            yield {"type": "ERROR", "object": _status(410, f"too old resource version: {start} ({api.oldest})")}
            return
    position, end = start, time.monotonic() + seconds
    while True:
        with api.condition:
            while True:
                if api.closed:
                    return
                if api.epoch != epoch:
                    yield None
                    return
                fresh = [entry for entry in api.log if entry[0] > position and path in _paths(entry[1])]
                if fresh and not api.mute_watches:
                    break
                left = end - time.monotonic()
                if left <= 0 and not api.silent_watches:
                    return
                api.condition.wait(max(0.01, min(left, 1.0)) if left > 0 else 1.0)
        for version, _, kind, item in fresh:
            position = version
            yield {"type": kind, "object": item}


def _act(api: FakeApi, verb: str, path: str, body: Any) -> tuple[int, Object]:  # noqa: PLR0911
    with api.condition:
        api.once.pop(verb, lambda: None)()
        path = api.aliases.get(path, path)
        if (verb, path) in api.answers:
            return 200, api.answers[verb, path]
        if any(verb == denied and part in path for denied, part in api.forbidden):
            return 403, _status(403, f'cannot {verb.lower()} "{path}"')
        collection, _, name = path.rpartition("/")
        if verb == "POST" and "metadata" not in body:
            return 404, _status(404, f"{path} is not served")
        if verb == "POST":
            if (path, body["metadata"]["name"]) in api.objects:
                return 409, _status(409, f"{body['metadata']['name']} already exists", "AlreadyExists")
            if api.generations:
                body["metadata"]["generation"] = 1
            return 201, api.put(path, body)
        if (collection, name) in api.objects:
            if refusal := _refusal(api.objects[collection, name], verb, body):
                return refusal
            return 200, _one(api, verb, collection, name, body)
        items = [item for (where, _), item in api.objects.items() if path in _paths(where)]
        known = {path for where, _ in api.objects for path in _paths(where)}
        known |= {path for _, where, _, _ in api.log for path in _paths(where)}
        if verb != "GET" or (path not in known and not path.rsplit("/", 1)[-1].endswith("s")):
            return 404, _status(404, f'{path} "not found"', "NotFound")
        return 200, {"metadata": {"resourceVersion": str(api.version)}, "items": copy.deepcopy(items)}


def _refusal(item: Object, verb: str, body: Any) -> tuple[int, Object] | None:
    """Why a guarded write to an object is not carried out."""
    meta = item["metadata"]
    conditions = (body or {}).get("preconditions", {}) if verb == "DELETE" else {}
    for key, value in conditions.items():
        if meta[key] != value:
            title = {"uid": "UID"}.get(key, "ResourceVersion")
            told = f"{title} in precondition: {value}, {title} in object meta: {meta[key]}"
            return 409, _status(409, f"Precondition failed: {told}", "Conflict")
    if verb == "PATCH" and isinstance(body, dict):
        known = body.get("metadata", {}).get("resourceVersion", meta["resourceVersion"])
        return None if known == meta["resourceVersion"] else (409, _status(409, "it has been modified", "Conflict"))
    for operation in body if verb == "PATCH" else []:
        if operation["op"] == "test":
            found: Any = item
            for step in operation["path"].strip("/").split("/"):
                found = found[int(step) if isinstance(found, list) else step]
            if found != operation["value"]:
                return 422, _status(422, f"testing path {operation['path']} value failed", "Invalid")
    return None


def _one(api: FakeApi, verb: str, collection: str, name: str, body: Any) -> Object:
    item = copy.deepcopy(api.objects[collection, name])
    if verb == "DELETE":
        api.remove(collection, name)
    elif verb == "PATCH" and isinstance(body, dict):
        return api.put(collection, _merge(item, body))
    elif verb == "PATCH":
        for operation in body:
            *steps, last = operation["path"].strip("/").split("/")
            target: Any = item
            for step in steps:
                target = target[int(step) if isinstance(target, list) else step]
            if operation["op"] == "remove":
                del target[last]
            elif operation["op"] in ("add", "replace") and last == "-":
                target.append(operation["value"])
            elif operation["op"] in ("add", "replace"):
                target[last] = operation["value"]
        if api.generations:
            item["metadata"]["generation"] = item["metadata"].get("generation", 1) + 1
        return api.put(collection, item)
    return item


def _merge(item: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(item) if isinstance(item, dict) else {}
    for key, value in patch.items():
        merged[key] = _merge(merged.get(key), value)
        if value is None:
            del merged[key]
    return merged


def _status(code: int, message: str, reason: str = "") -> Object:
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
