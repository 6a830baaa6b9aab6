# SPDX-License-Identifier: Apache-2.0
"""Selects the function that answers a request on a resource, or the error if there is none."""

from __future__ import annotations

from aiohttp import web

from emulator.kube.errors import ApiError

from . import read_handlers, watch_handler, write_handlers
from . import status_errors as fail
from .bodies import decode_object_body, read_body
from .eviction import EVICTION, evict
from .http_call import HttpCall
from .namespaces import finalize
from .registry import Resource
from .responses import answer_bytes, answer_json, page_not_found
from .reviews import method_not_allowed
from .write_handlers import content_type

CREATED = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}\n'


def unknown_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


async def serve_resource(http: HttpCall) -> web.StreamResponse:
    """Answers a request on a registered resource."""
    info = http.info
    resource = http.core.registry.find(info.group, info.version, info.resource)
    if resource is None:
        if any(known.group == info.group and not known.custom for known in http.core.registry):
            raise unknown_resource()
        return page_not_found()
    if not resource.namespaced and info.namespace and resource.plural != "namespaces":
        raise unknown_resource()
    if resource.namespaced and not info.namespace and info.verb not in ("list", "watch"):
        if resource.custom:
            return page_not_found()
        raise unknown_resource() if info.name else method_not_allowed()
    if info.version in resource.deprecated:
        api = resource.api_version(info.version)
        http.warnings.append(resource.deprecation.format(api=api, kind=resource.kind))
    if info.subresource:
        return await _subresource(http, resource)
    if not info.name or info.verb in ("list", "watch"):
        return await _collection(http, resource)
    return await _object(http, resource)


async def _collection(http: HttpCall, resource: Resource) -> web.StreamResponse:
    method, verb = http.request.method, http.info.verb
    if method == "HEAD" and not resource.custom:
        raise method_not_allowed()
    if method in ("PUT", "PATCH") and resource.custom:
        raise fail.bad_request("name must be provided")
    if verb not in resource.verbs:
        raise method_not_allowed()
    if verb == "list":
        return await read_handlers.list_objects(http, resource)
    if verb == "watch":
        return await watch_handler.watch_objects(http, resource)
    if verb == "create":
        return await write_handlers.create_object(http, resource)
    if verb == "deletecollection":
        return await write_handlers.delete_objects(http, resource)
    raise method_not_allowed()


async def _object(http: HttpCall, resource: Resource) -> web.StreamResponse:
    method, verb = http.request.method, http.info.verb
    if (method == "HEAD" and not resource.custom) or verb not in resource.verbs:
        raise method_not_allowed()
    if verb == "get":
        return await read_handlers.get_object(http, resource)
    if verb == "update":
        return await write_handlers.replace_object(http, resource)
    if verb == "patch":
        return await write_handlers.patch_object(http, resource)
    if verb == "delete":
        return await write_handlers.delete_object(http, resource)
    if verb == "create" and resource.custom:
        return await write_handlers.create_object(http, resource)
    raise method_not_allowed()


async def _subresource(http: HttpCall, resource: Resource) -> web.StreamResponse:
    info = http.info
    if info.subresource == "finalize" and resource.plural == "namespaces" and info.method == "PUT":
        call = http.writing("UpdateOptions")
        body = decode_object_body(await read_body(http.request), content_type(http.request), resource, call)
        finalizers = (body.get("spec") or {}).get("finalizers") or []
        return answer_json(http, finalize(http.core, info.name, finalizers))
    if info.subresource == "binding" and resource.plural == "pods" and info.method == "POST":
        return await _bind(http)
    if info.subresource == EVICTION and resource.plural == "pods" and info.method == "POST":
        return await _evict(http)
    if info.subresource != "status" or not resource.status:
        raise fail.not_found(resource, info.name) if resource.custom else unknown_resource()
    if info.verb == "get":
        return await read_handlers.get_object(http, resource)
    if info.verb == "update":
        return await write_handlers.replace_object(http, resource)
    if info.verb == "patch":
        return await write_handlers.patch_object(http, resource)
    if resource.custom and info.verb == "create":
        said = f'create is not supported on resources of kind "{resource.key}"'
        raise ApiError(405, "MethodNotAllowed", said, fail.details(resource))
    raise method_not_allowed()


async def _bind(http: HttpCall) -> web.StreamResponse:
    """``pods/binding``: the scheduler's call."""
    shape = Resource("bindings", "Binding")
    call = http.writing("CreateOptions")
    body = decode_object_body(await read_body(http.request), content_type(http.request), shape, call)
    node = (body.get("target") or {}).get("name", "")
    await write_handlers.bind_pod(http.core, call, http.target(http.core.resource("pods")), node)
    return answer_bytes(http, CREATED, 201)


async def _evict(http: HttpCall) -> web.StreamResponse:
    """``pods/eviction``."""
    shape = Resource("evictions", "Eviction", "policy")
    call = http.writing("CreateOptions")
    body = decode_object_body(await read_body(http.request), content_type(http.request), shape, call)
    await evict(http.core, call, http.target(http.core.resource("pods")), body)
    return answer_bytes(http, CREATED, 201)
