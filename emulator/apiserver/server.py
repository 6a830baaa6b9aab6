# SPDX-License-Identifier: Apache-2.0
"""The API server: HTTPS, authentication, authorisation, dispatch."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import unquote

from aiohttp import web

from emulator.fault_points import FaultPoints
from emulator.kube.errors import ApiError

from . import dispatch
from .admission import Admission
from .api_faults import ApiFault
from .audit import ASKED, USER, AuditLog
from .bodies import MAX_BODY
from .bootstrap import bootstrap
from .builtin import default_registry
from .content_negotiation import JSON, PLAIN, Accepted, negotiate
from .core import ApiCore
from .discovery import Discovery, version_info
from .disruption import DisruptionController
from .escalation import EscalationCheck
from .gc import GarbageCollector
from .http_call import HttpCall
from .limit_ranges import LimitRanges
from .local_client import LocalClient
from .namespaces import NamespaceController
from .objects import Obj
from .openapi import OpenApi
from .quota import Quotas
from .rbac import Attributes, Authorizer
from .requests import RequestInfo, read_request
from .responses import answer_error, answer_json, answer_text, page_not_found
from .reviews import MIN_TOKEN_SECONDS, Reviews
from .store import Later
from .tokens import Authenticator, ImpersonationRefused, Tokens
from .users import UserInfo

log = logging.getLogger(__name__)

Handler = Callable[[HttpCall], Awaitable[web.StreamResponse]]
ANY = "*"
HEALTH = ("/healthz", "/livez", "/readyz")
SHUTDOWN_SECONDS = 1.0


class ApiServer:
    """A whole API server. ``start`` serves on a socket that is already bound; ``stop`` ends every stream.

    ``root_ca`` is the PEM text that namespaces publish as ``kube-root-ca.crt``. ``audit`` logs every request.
    ``shortest_token`` is the shortest lifetime in seconds that a token may be requested for.
    """

    def __init__(
        self,
        core: ApiCore | None = None,
        *,
        root_ca: str = "",
        fault_points: FaultPoints | None = None,
        audit: AuditLog | None = None,
        shortest_token: int = MIN_TOKEN_SECONDS,
    ) -> None:
        self.core = core or ApiCore(default_registry())
        self._audit = audit
        self._fault_points = fault_points or FaultPoints()
        if self._fault_points.changes("store.write"):
            self.core.store.written = self._written
        self.authorizer = Authorizer(self.core)
        self.tokens = Tokens(self.core)
        self._authenticator = Authenticator(self.tokens, self.authorizer)
        self._handlers: dict[tuple[str, str, str], Handler] = dict(
            Reviews(self.authorizer, self.tokens, shortest_token).handlers
        )
        self._denials: dict[tuple[str, str, str], str] = {}
        EscalationCheck(self.core, self.authorizer).register()
        self._discovery = Discovery(self.core.registry)
        self._openapi = OpenApi(self.core.registry)
        self._controllers = (
            GarbageCollector(self.core),
            NamespaceController(self.core, root_ca=root_ca),
            DisruptionController(self.core),
            Quotas(self.core),
        )
        LimitRanges(self.core).register()
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None

    def _written(self, obj: Obj, before: Obj | None, later: Later) -> Obj:
        return self._fault_points.apply("store.write", obj, before=before, later=later)

    @property
    def admission(self) -> Admission:
        return self.core.admission

    def client(self, user: UserInfo, *, manager: str = "") -> LocalClient:
        """A client inside this process that acts as ``user``."""
        return LocalClient(self.core, user, manager=manager)

    def handle(self, group: str, resource: str, subresource: str, handler: Handler) -> None:
        """Serves ``.../{resource}/{name}/{subresource}`` of every version of a group by ``handler``.

        RBAC has already allowed the request; an ApiError becomes a Status, any other answer is sent as it is. With
        ``ANY`` as resource and subresource the handler gets every request of the group that no other handler serves.
        """
        self._handlers[(group, resource, subresource)] = handler

    def deny_with(self, group: str, resource: str, verb: str, message: str) -> None:
        """Answers ``message`` when RBAC refuses this, in place of the usual message."""
        self._denials[(group, resource, verb)] = message

    def aggregated(self, group: str, versions: tuple[str, ...], resources: Iterable[str]) -> None:
        """Lists a group whose resources only handlers serve in discovery."""
        self._discovery.aggregated(group, versions, resources)

    async def prepare(self) -> None:
        """Creates the objects that every cluster has and starts the built-in controllers; once, before ``start``."""
        for controller in self._controllers:
            controller.start()
        await bootstrap(self.core)
        self._tasks = [asyncio.create_task(controller.run()) for controller in self._controllers]

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serves on ``listener``; prepares the store first if that has not been done."""
        if not self._tasks:
            await self.prepare()
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_response_prepare.append(_hide_server)
        if self._audit is not None:
            app.on_response_prepare.append(self._audit.note)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS, keepalive_timeout=120.0
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener, ssl_context=tls, backlog=256).start()

    async def stop(self) -> None:
        """Ends all streams, connections and controllers."""
        self.core.store.close()
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._audit is not None:
            self._audit.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        accepted, warnings = PLAIN, list[str]()
        try:
            path = unquote(request.raw_path.partition("?")[0])
            info = request[ASKED] = read_request(request.method, path, request.query)
            user = request[USER] = self._authenticator.user_of(request)
            try:
                user = request[USER] = self._impersonate(request, user, info)
                self._authorize(user, info)
            except ApiError as error:
                return refused(error)
            accepted = self._negotiate(request, info)
            http = HttpCall(request, info, user, self.core, accepted, warnings)
            check_timeout(request)
            await self._apply_fault(http)
            return await self._route(http)
        except ApiError as error:
            return answer_error(error, accepted, warnings)
        except TimeoutExpired:
            # The real server writes this one without kind, apiVersion and JSON's content type.
            body: Obj = {"metadata": {}, "status": "Failure", "message": TimeoutExpired.message}
            body |= {"reason": "Timeout", "details": {}, "code": 504}
            return answer_text(504, json.dumps(body, separators=(",", ":")) + "\n", sniffing=True)
        except ConnectionError:
            # The client is gone: the answer is not sent, and this is not an error.
            return web.Response(status=499)
        except Exception:
            log.exception("%s %s", request.method, request.path_qs)
            return answer_error(ApiError(500, "InternalError", "Internal error occurred"), accepted)

    async def _apply_fault(self, http: HttpCall) -> None:
        """Delays the request, or raises an error in place of its answer, where a defect asks for it."""
        fault = self._fault_points.apply("api.fault", ApiFault(), info=http.info, user=http.user)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.error is not None:
            raise fault.error

    def _impersonate(self, request: web.Request, user: UserInfo, info: RequestInfo) -> UserInfo:
        if "Impersonate-User" not in request.headers and "Impersonate-Group" not in request.headers:
            return user
        try:
            return self._authenticator.impersonated(request, user, info.verb)
        except ImpersonationRefused:
            verb = f"impersonate-on:user-info:{info.verb}"
            asked = Attributes(verb, info.group, info.full_resource, info.name, info.namespace)
            decision = self.authorizer.decide(user, asked)
            raise forbidden(user, info, verb, decision.reason) from None

    def _authorize(self, user: UserInfo, info: RequestInfo) -> None:
        if info.is_resource:
            asked = Attributes(info.verb, info.group, info.full_resource, info.name, info.namespace)
        else:
            asked = Attributes(info.verb, path=info.path)
        decision = self.authorizer.decide(user, asked)
        if not decision.allowed:
            error = forbidden(user, info, info.verb, decision.reason)
            error.message = self._denials.get((info.group, info.full_resource, info.verb), error.message)
            raise error

    def _negotiate(self, request: web.Request, info: RequestInfo) -> Accepted:
        if (info.group, info.resource, info.subresource) in self._handlers and info.subresource:
            return PLAIN
        if not info.is_resource:
            return PLAIN
        if (info.group, ANY, ANY) in self._handlers:
            return PLAIN
        resource = self.core.registry.find(info.group, info.version, info.resource)
        custom = resource is not None and resource.custom
        return negotiate(request.headers.get("Accept", ""), custom=custom)

    async def _route(self, http: HttpCall) -> web.StreamResponse:
        info = http.info
        if not info.is_resource:
            return self._plain(http)
        handler = self._handlers.get((info.group, info.resource, info.subresource))
        if handler is None:
            handler = self._handlers.get((info.group, ANY, ANY))
        if handler is not None:
            return await handler(http)
        return await dispatch.serve_resource(http)

    def _plain(self, http: HttpCall) -> web.StreamResponse:
        """Serves non-resource paths: health, version, discovery, OpenAPI."""
        path = http.info.path.rstrip("/") or "/"
        if path.split("/")[1] in ("healthz", "livez", "readyz"):
            verbose = "verbose" in http.request.query
            return answer_text(200, "[+]ping ok\n" + f"{path[1:]} check passed\n" if verbose else "ok")
        found = self._document(path, path.strip("/").split("/"), http.request.host)
        if found is None:
            return page_not_found()
        if isinstance(found, bytes):
            return web.Response(body=found, content_type=JSON)
        return answer_json(http, found)

    def _document(self, path: str, parts: list[str], host: str) -> Obj | bytes | None:
        """What a path of discovery or OpenAPI serves; None when it serves nothing."""
        fixed: dict[str, Callable[[], Obj]] = {
            "/": self._discovery.paths,
            "/version": lambda: version_info(self._fault_points.names),
            "/api": lambda: self._discovery.core_versions(host),
            "/apis": self._discovery.group_list,
            "/openapi/v3": self._openapi.index,
        }
        if path in fixed:
            return fixed[path]()
        if path.startswith("/openapi/v3/"):
            return self._openapi.document(path.removeprefix("/openapi/v3/"))
        if parts[0] == "api":
            if len(parts) != 2:
                raise dispatch.unknown_resource()
            return self._discovery.resources("", parts[1])
        if parts[0] == "apis" and len(parts) == 2:
            return self._discovery.group(parts[1])
        return self._discovery.resources(parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else None


class TimeoutExpired(Exception):
    """A ``timeout`` parameter too short for anything."""

    message = "Timeout: request did not complete within the allotted timeout"


_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def check_timeout(request: web.Request) -> None:
    """ApiError 400 for a ``timeout`` that is no duration."""
    text = request.query.get("timeout", "")
    if not text:
        return
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :]
    try:
        seconds = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        said = f'invalid timeout specified in the request URL - time: invalid duration "{text}"'
        raise ApiError(400, "BadRequest", said) from None
    if 0 < seconds < 1e-4:
        raise TimeoutExpired


def forbidden(user: UserInfo, info: RequestInfo, verb: str, reason: str) -> ApiError:
    """403 as RBAC's denial words it."""
    tail = f": {reason}" if reason else ""
    if not info.is_resource:
        return ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {verb} path "{info.path}"{tail}', {})
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    shown = f'{info.shown} "{info.name}"' if info.name else info.shown
    message = (
        f'{shown} is forbidden: User "{user.name}" cannot {verb} resource "{info.full_resource}" in API group '
        f'"{info.group}" {where}{tail}'
    )
    details: Obj = {"name": info.name} if info.name else {}
    if info.group:
        details["group"] = info.group
    return ApiError(403, "Forbidden", message, {**details, "kind": info.resource})


def refused(error: ApiError) -> web.Response:
    response = answer_error(error, PLAIN)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def _hide_server(request: web.Request, response: web.StreamResponse) -> None:
    """Removes the Server header, which the real server does not send."""
    response.headers.pop("Server", None)
