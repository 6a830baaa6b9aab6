# SPDX-License-Identifier: Apache-2.0
"""HTTP handlers of writes: POST, PUT, PATCH and DELETE on objects and collections."""

from __future__ import annotations

import json
from dataclasses import replace as replaced
from typing import Any

import yaml
from aiohttp import web

from emulator.kube.errors import ApiError
from emulator.kube.timestamps import timestamp

from . import create_update, deletion
from . import status_errors as fail
from .apply import apply_object
from .bodies import decode_object_body, go_json_error, read_body, unsupported
from .core import ApiCore
from .http_call import META, HttpCall, delete_causes
from .objects import Obj
from .protobuf import MAGIC, decode_object
from .read_handlers import answer_item
from .registry import Resource
from .render import item_bytes, list_bytes, transformed
from .request_context import Call, DeleteOptions, Target
from .responses import answer_bytes, answer_json
from .store import Item
from .strategic import strategic_merge

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)


def content_type(request: web.Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip()


def answer(http: HttpCall, resource: Resource, item: Item, status: int) -> web.Response:
    """The object in the form that was asked for."""
    if http.accepted.form == "object":
        if item.rv == 0 or http.info.version != resource.version:
            return answer_bytes(http, item_bytes(http.core, resource, item, http.info.version) + b"\n", status)
        return answer_item(http, resource, item, status)
    include = http.request.query.get("includeObject", "Metadata")
    return answer_json(http, transformed(http.core, resource, item, http.accepted, include), status)


async def create_object(http: HttpCall, resource: Resource) -> web.StreamResponse:
    call = http.writing("CreateOptions")
    raw = await read_body(http.request)
    body = decode_object_body(raw, content_type(http.request), resource, call)
    call.size = len(raw)
    item = await create_update.create(http.core, call, http.target(resource), body)
    return answer(http, resource, item, 201)


async def replace_object(http: HttpCall, resource: Resource) -> web.StreamResponse:
    call = http.writing("UpdateOptions")
    raw = await read_body(http.request)
    body = decode_object_body(raw, content_type(http.request), resource, call)
    call.size = len(raw)
    item = await create_update.replace(http.core, call, http.target(resource), body)
    return answer(http, resource, item, 200)


async def patch_object(http: HttpCall, resource: Resource) -> web.StreamResponse:
    kind = content_type(http.request)
    if resource.custom and kind not in (JSON_PATCH, MERGE_PATCH, APPLY_PATCH):
        raise unsupported(", ".join((JSON_PATCH, MERGE_PATCH, APPLY_PATCH)))
    if kind not in PATCHES:
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    call = http.writing("PatchOptions")
    _check_patch_options(http, kind)
    raw = await read_body(http.request)
    call.size = len(raw)
    target = http.target(resource)
    if kind == APPLY_PATCH:
        item, created = await apply_object(http.core, call, target, _load_apply(raw), force=http.flag("force"))
        return answer(http, resource, item, 201 if created else 200)
    patch = _load_patch(raw, kind)
    if kind == STRATEGIC_PATCH:
        item = await create_update.update(http.core, call, target, lambda old: strategic_merge(resource, old, patch))
    else:
        item = await create_update.patch(http.core, call, target, patch)
    return answer(http, resource, item, 200)


def _check_patch_options(http: HttpCall, kind: str) -> None:
    causes = []
    if kind == APPLY_PATCH:
        if not http.request.query.get("fieldManager"):
            causes.append(fail.required("fieldManager", "is required for apply patch"))
    elif "force" in http.request.query:
        said = "Forbidden: may not be specified for non-apply patch"
        causes.append(fail.cause("force", "FieldValueForbidden", said))
    if causes:
        raise fail.invalid("PatchOptions", META, "", causes)


def _load_apply(raw: bytes) -> Obj:
    try:
        found = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise fail.bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(found, dict):
        raise fail.bad_request(f"error decoding YAML: expected an object, found {type(found).__name__}")
    return found


def _load_patch(raw: bytes, kind: str) -> Any:
    try:
        patch = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise fail.bad_request(f"error decoding patch: {go_json_error(raw)}") from None
    if kind == JSON_PATCH:
        if patch is not None and not isinstance(patch, list):
            said = "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
            raise fail.bad_request(f"error decoding patch: {said}")
        return patch or []
    if patch is not None and not isinstance(patch, dict):
        said = "json: cannot unmarshal array into Go value of type map[string]interface {}"
        raise fail.bad_request(f"error decoding patch: {said}")
    return patch or {}


async def _delete_options(http: HttpCall) -> tuple[Call, DeleteOptions]:
    raw = await read_body(http.request)
    body: Obj = {}
    if raw.startswith(MAGIC):
        body = decode_object(raw)
    elif raw.strip():
        body = _load_options(raw)
    query = http.request.query
    dry_run = [*query.getall("dryRun", []), *(body.get("dryRun") or [])]
    propagation = query.get("propagationPolicy") or body.get("propagationPolicy") or ""
    orphan = query.get("orphanDependents") or body.get("orphanDependents")
    causes = delete_causes({"dryRun": dry_run, "orphanDependents": orphan}, propagation)
    if causes:
        raise fail.invalid("DeleteOptions", META, "", causes)
    if orphan is not None:
        propagation = "Orphan" if orphan in (True, "true", "1") else "Background"
    grace = http.integer("gracePeriodSeconds")
    if grace is None and body.get("gracePeriodSeconds") is not None:
        grace = int(body["gracePeriodSeconds"])
    conditions = body.get("preconditions") or {}
    call = Call(user=http.user, dry_run=bool(dry_run), version=http.info.version, warnings=http.warnings)
    call.options = {"kind": "DeleteOptions", "apiVersion": f"{META}/v1"}
    options = DeleteOptions(
        grace=grace,
        propagation=propagation,
        uid=conditions.get("uid") or "",
        resource_version=conditions.get("resourceVersion") or "",
    )
    return call, options


def _load_options(raw: bytes) -> Obj:
    try:
        found = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError):
        said = f"couldn't get version/kind; json parse error: {go_json_error(raw)}"
        raise fail.bad_request(said) from None
    if not isinstance(found, dict):
        raise fail.bad_request("couldn't get version/kind; json parse error: expected an object")
    return found


async def delete_object(http: HttpCall, resource: Resource) -> web.StreamResponse:
    call, options = await _delete_options(http)
    item, gone = await deletion.delete(http.core, call, http.target(resource), options)
    if not gone:
        return answer(http, resource, item, 200)
    details = fail.details(resource, item.obj["metadata"]["name"], uid=item.obj["metadata"]["uid"])
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return answer_json(http, status)


async def delete_objects(http: HttpCall, resource: Resource) -> web.StreamResponse:
    call, options = await _delete_options(http)
    query = http.request.query
    matches = http.core.selector(resource, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    rv = str(http.core.store.rv)
    found = await deletion.delete_collection(http.core, call, http.target(resource), matches, options)
    return answer_bytes(http, list_bytes(http.core, resource, found, {"resourceVersion": rv}, http.info.version))


async def bind_pod(core: ApiCore, call: Call, target: Target, node: str) -> None:
    """Assigns an unscheduled pod to its node; ApiError 409 if it has one."""

    def change(pod: Obj) -> Obj:
        if pod["spec"].get("nodeName"):
            why = f'pod {target.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise fail.conflict(Resource("pods/binding", "Binding"), target.name, why)
        pod["spec"]["nodeName"] = node
        return pod

    await create_update.update(core, call, replaced(target, subresource=""), change)
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp()}

    def condition(pod: Obj) -> Obj:
        status = pod.setdefault("status", {})
        others = [c for c in status.get("conditions") or [] if c.get("type") != "PodScheduled"]
        status["conditions"] = [*others, scheduled]
        return pod

    await create_update.update(core, call, replaced(target, subresource="status"), condition)
