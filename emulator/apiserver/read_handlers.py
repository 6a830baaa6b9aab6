# SPDX-License-Identifier: Apache-2.0
"""HTTP handlers of reads: GET of one object and of lists."""

from __future__ import annotations

import asyncio
import base64
import json

from aiohttp import web

from emulator.kube.errors import ApiError

from . import status_errors as fail
from .bodies import go_json_error
from .http_call import META, HttpCall, unsupported
from .objects import Obj
from .registry import Resource
from .render import item_bytes, list_bytes, transformed, transformed_list
from .responses import answer_bytes, answer_json
from .store import Item

# How long the real server waits for a resourceVersion from the future.
FUTURE_WAIT = 3.0


async def get_object(http: HttpCall, resource: Resource) -> web.StreamResponse:
    core, info = http.core, http.info
    rv = http.request.query.get("resourceVersion", "")
    if rv and rv != "0":
        await reach(http, version_number(rv))
    item = core.get(resource, info.namespace, info.name)
    if http.accepted.form == "object":
        return answer_item(http, resource, item)
    if http.accepted.form == "PartialObjectMetadataList":
        raise fail_form(http, f"an object (*{resource.kind})")
    include = http.request.query.get("includeObject", "Metadata")
    return answer_json(http, transformed(core, resource, item, http.accepted, include))


def answer_item(http: HttpCall, resource: Resource, item: Item, status: int = 200) -> web.Response:
    return answer_bytes(http, item_bytes(http.core, resource, item, http.info.version) + b"\n", status)


def fail_form(http: HttpCall, what: str) -> ApiError:
    return ApiError(406, "NotAcceptable", f"you requested {http.accepted.form}, but the requested object is {what}")


def version_number(text: str) -> int:
    if not text:
        return 0
    if not text.isdigit():
        parse = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise fail.bad_request(f'invalid resource version: resourceVersion: Invalid value: "{text}": {parse}')
    return int(text)


async def reach(http: HttpCall, rv: int) -> None:
    """Waits a little for a future revision; ApiError 504 if it does not come."""
    store = http.core.store
    if rv <= store.rv:
        return
    reached = asyncio.get_running_loop().create_future()

    def seen(_: object) -> None:
        if store.rv >= rv and not reached.done():
            reached.set_result(None)

    store.listeners.append(seen)
    try:
        async with asyncio.timeout(FUTURE_WAIT):
            await reached
    except TimeoutError:
        told = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        raise ApiError(
            504,
            "Timeout",
            f"Timeout: Too large resource version: {rv}, current: {store.rv}",
            {"causes": [told], "retryAfterSeconds": 1},
        ) from None
    finally:
        store.listeners.remove(seen)


def list_options(http: HttpCall, *, watch: bool = False) -> None:
    """ApiError 422 for parameters that do not go together."""
    query = http.request.query
    match, rv = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    initial = query.get("sendInitialEvents")
    field = "resourceVersionMatch"
    causes = []
    if watch and initial is not None:
        if match != "NotOlderThan":
            said = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            causes.append(fail.cause(field, "FieldValueForbidden", said))
    elif initial is not None:
        said = "Forbidden: sendInitialEvents is forbidden for list"
        causes.append(fail.cause("sendInitialEvents", "FieldValueForbidden", said))
    elif match and watch:
        said = f"Forbidden: {field} is forbidden for watch unless sendInitialEvents is provided"
        causes.append(fail.cause(field, "FieldValueForbidden", said))
    elif match and not rv:
        said = f"Forbidden: {field} is forbidden unless resourceVersion is provided"
        causes.append(fail.cause(field, "FieldValueForbidden", said))
    elif match not in ("", "Exact", "NotOlderThan"):
        causes.append(unsupported(field, f'"{match}"', ("Exact", "NotOlderThan", "")))
    elif match == "Exact" and rv == "0":
        said = f'Forbidden: {field} "exact" is forbidden for resourceVersion "0"'
        causes.append(fail.cause(field, "FieldValueForbidden", said))
    if causes:
        raise fail.invalid("ListOptions", META, "", causes)


async def list_objects(http: HttpCall, resource: Resource) -> web.StreamResponse:
    core, query = http.core, http.request.query
    list_options(http)
    limit = max(http.integer("limit") or 0, 0)
    matches = http.selector(resource)
    token, rv_text = query.get("continue", ""), query.get("resourceVersion", "")
    namespace = http.info.namespace
    start: tuple[str, str] | None = None
    rv = core.store.rv
    if token:
        if rv_text and rv_text != "0":
            raise fail.bad_request("specifying resource version is not allowed when using continue")
        wanted, start = read_continue(token, namespace)
        items = _continued(http, resource, wanted, start)
        rv = wanted if wanted > 0 else rv
        items = items if matches is None else [item for item in items if matches(item.obj)]
    else:
        wanted = version_number(rv_text)
        await reach(http, wanted)
        if query.get("resourceVersionMatch") == "Exact":
            items, rv = core.items_at(resource, wanted, namespace, matches), wanted
        else:
            items, rv = core.items(resource, namespace, matches), core.store.rv
            limit = 0 if rv_text == "0" else limit
    if start is not None:
        items = [item for item in items if key_of(item, namespace) > start]
    metadata: Obj = {"resourceVersion": str(rv)}
    if limit and len(items) > limit:
        left = len(items) - limit
        items = items[:limit]
        metadata["continue"] = write_continue(rv, key_of(items[-1], namespace))
        if matches is None:
            metadata["remainingItemCount"] = left
    return _answer_list(http, resource, items, metadata)


def _answer_list(http: HttpCall, resource: Resource, items: list[Item], metadata: Obj) -> web.Response:
    form = http.accepted.form
    if form == "object":
        return answer_bytes(http, list_bytes(http.core, resource, items, metadata, http.info.version))
    if form == "PartialObjectMetadata":
        shown = "unstructured.UnstructuredList" if resource.custom else f"core.{resource.list_kind}"
        raise fail_form(http, f"a list (*{shown})")
    include = http.request.query.get("includeObject", "Metadata")
    objects = [http.core.shown(resource, item.obj, http.info.version) for item in items]
    return answer_json(http, transformed_list(resource, objects, metadata, http.accepted, include))


def key_of(item: Item, namespace: str) -> tuple[str, str]:
    meta = item.obj["metadata"]
    return ("" if namespace else meta.get("namespace", ""), meta["name"])


def _continued(http: HttpCall, resource: Resource, rv: int, start: tuple[str, str]) -> list[Item]:
    if rv < 0:
        return http.core.items(resource, http.info.namespace)
    try:
        return http.core.items_at(resource, rv, http.info.namespace, None)
    except ApiError:
        said = (
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
            "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
            "the results. Continuing with the provided token results in an inconsistent list - objects that were "
            "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
            "list."
        )
        raise ContinueExpired(said, write_continue(-1, start)) from None


class ContinueExpired(ApiError):
    """410 that hands out a token for an inconsistent continuation."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(410, "Expired", message)
        self.token = token

    def status(self) -> Obj:
        body = super().status()
        body["metadata"] = {"continue": self.token}
        return body


def write_continue(rv: int, key: tuple[str, str]) -> str:
    """The token of a list that goes on after ``key``."""
    lead = "" if rv < 0 else "/"
    start = lead + "/".join(part for part in key if part) + "\x00"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": rv, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_continue(token: str, namespace: str) -> tuple[int, tuple[str, str]]:
    """(revision, last key) of a token; ApiError 400 for one that this server did not make."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise fail.bad_request(f"invalid continue token: continue key is not valid: {error}") from None
    try:
        found = json.loads(raw)
        start = str(found["start"]).lstrip("/").rstrip("\x00")
        home, _, name = start.rpartition("/")
        return int(found["rv"]), ("" if namespace else home, name)
    except (ValueError, KeyError, TypeError):
        raise fail.bad_request(f"invalid continue token: continue key is not valid: {go_json_error(raw)}") from None
