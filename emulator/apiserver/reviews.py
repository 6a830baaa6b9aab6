# SPDX-License-Identifier: Apache-2.0
"""Access reviews, self subject reviews, and tokens of service accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from aiohttp import web

from emulator.kube.errors import ApiError
from emulator.kube.timestamps import now, timestamp

from . import status_errors as fail
from .bodies import decode_object_body, read_body
from .http_call import HttpCall
from .objects import Obj
from .rbac import Attributes, Authorizer
from .registry import Resource
from .responses import answer_json
from .tokens import ISSUER, Tokens
from .users import UserInfo
from .write_handlers import content_type

AUTHORIZATION = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"
MIN_TOKEN_SECONDS = 600
DEFAULT_TOKEN_SECONDS = 3600
_SPEC_ORDER = ("resourceAttributes", "nonResourceAttributes", "user", "groups", "extra", "uid")
Handler = Callable[[HttpCall], Awaitable[web.StreamResponse]]


class Reviews:
    """Handlers of the review resources, by (group, resource, subresource) in ``handlers``."""

    def __init__(self, authorizer: Authorizer, tokens: Tokens, shortest_token: int = MIN_TOKEN_SECONDS) -> None:
        self._authorizer = authorizer
        self._shortest_token = shortest_token
        self._tokens = tokens
        self.handlers: dict[tuple[str, str, str], Handler] = {
            (AUTHORIZATION, "selfsubjectaccessreviews", ""): self._access,
            (AUTHORIZATION, "subjectaccessreviews", ""): self._access,
            (AUTHORIZATION, "localsubjectaccessreviews", ""): self._access,
            (AUTHORIZATION, "selfsubjectrulesreviews", ""): self._rules,
            (AUTHENTICATION, "selfsubjectreviews", ""): self._whoami,
            (AUTHENTICATION, "tokenreviews", ""): self._token_review,
            ("", "serviceaccounts", "token"): self._token_request,
        }

    async def _body(self, http: HttpCall, kind: str, group: str) -> Obj:
        if http.info.method != "POST":
            raise method_not_allowed()
        shape = Resource(http.info.resource, kind, group)
        call = http.writing("CreateOptions")
        return decode_object_body(await read_body(http.request), content_type(http.request), shape, call)

    async def _access(self, http: HttpCall) -> web.StreamResponse:
        mine = http.info.resource == "selfsubjectaccessreviews"
        kinds = {"selfsubjectaccessreviews": "SelfSubjectAccessReview", "subjectaccessreviews": "SubjectAccessReview"}
        kind = kinds.get(http.info.resource, "LocalSubjectAccessReview")
        body = await self._body(http, kind, AUTHORIZATION)
        spec = body.get("spec") or {}
        user = http.user
        if not mine:
            user = UserInfo(spec.get("user", ""), tuple(spec.get("groups") or ()))
        decision = self._authorizer.decide(user, _asked(spec))
        status: Obj = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        shown = {key: spec[key] for key in _SPEC_ORDER if key in spec}
        answer = {"kind": kind, "apiVersion": f"{AUTHORIZATION}/v1", "metadata": {}, "spec": shown, "status": status}
        return answer_json(http, answer, 201)

    async def _rules(self, http: HttpCall) -> web.StreamResponse:
        kind = "SelfSubjectRulesReview"
        body = await self._body(http, kind, AUTHORIZATION)
        namespace = (body.get("spec") or {}).get("namespace", "")
        if not namespace:
            raise fail.bad_request("no namespace on request")
        rules, problems = self._authorizer.rules(http.user, namespace)
        status: Obj = {
            "resourceRules": [
                _only(rule, "apiGroups", "resources", "resourceNames") for rule in rules if rule.get("resources")
            ],
            "nonResourceRules": [_only(rule, "nonResourceURLs") for rule in rules if rule.get("nonResourceURLs")],
            "incomplete": False,
        }
        if problems:
            status["evaluationError"] = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        answer = {"kind": kind, "apiVersion": f"{AUTHORIZATION}/v1", "metadata": {}, "spec": {}, "status": status}
        return answer_json(http, answer, 201)

    async def _whoami(self, http: HttpCall) -> web.StreamResponse:
        kind = "SelfSubjectReview"
        await self._body(http, kind, AUTHENTICATION)
        answer = {
            "kind": kind,
            "apiVersion": f"{AUTHENTICATION}/v1",
            "metadata": {"creationTimestamp": timestamp()},
            "status": {"userInfo": user_info(http.user)},
        }
        return answer_json(http, answer, 201)

    async def _token_review(self, http: HttpCall) -> web.StreamResponse:
        kind = "TokenReview"
        body = await self._body(http, kind, AUTHENTICATION)
        spec = body.get("spec") or {}
        user = self._tokens.find(spec.get("token", ""))
        status: Obj = {"user": {}, "error": "invalid bearer token"}
        if user is not None:
            status = {"authenticated": True, "user": user_info(user), "audiences": [ISSUER]}
        answer = {"kind": kind, "apiVersion": f"{AUTHENTICATION}/v1", "metadata": {}, "spec": spec, "status": status}
        return answer_json(http, answer, 201)

    async def _token_request(self, http: HttpCall) -> web.StreamResponse:
        body = await self._body(http, "TokenRequest", AUTHENTICATION)
        info = http.info
        account = http.core.get(http.core.resource("serviceaccounts"), info.namespace, info.name)
        spec = body.get("spec") or {}
        seconds = int(spec.get("expirationSeconds") or DEFAULT_TOKEN_SECONDS)
        if seconds < self._shortest_token:
            why = "may not specify a duration less than 10 minutes"
            told = fail.invalid_value("spec.expirationSeconds", str(seconds), why)
            raise fail.invalid("TokenRequest", AUTHENTICATION, "", [told])
        uid = account.obj["metadata"]["uid"]
        pod = _bound_pod(http, spec.get("boundObjectRef") or {})
        token = self._tokens.issue(info.namespace, info.name, uid, seconds, pod=pod)
        until = timestamp(now() + timedelta(seconds=seconds))
        answer = {
            "kind": "TokenRequest",
            "apiVersion": f"{AUTHENTICATION}/v1",
            "metadata": {"name": info.name, "namespace": info.namespace, "uid": uid, "creationTimestamp": timestamp()},
            "spec": {
                "audiences": spec.get("audiences") or [ISSUER],
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {"token": token, "expirationTimestamp": until},
        }
        return answer_json(http, answer, 201)


def _bound_pod(http: HttpCall, bound: Obj) -> Obj | None:
    """The pod that a token shall live with; None if it is bound to none, or to another kind of object."""
    if bound.get("kind") != "Pod":
        return None
    return http.core.get(http.core.resource("pods"), http.info.namespace, bound.get("name", "")).obj


def method_not_allowed() -> ApiError:
    said = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", said, {})


def _only(rule: Obj, *keys: str) -> Obj:
    return {key: rule[key] for key in ("verbs", *keys) if rule.get(key)}


def _asked(spec: Obj) -> Attributes:
    resource: Any = spec.get("resourceAttributes")
    path: Any = spec.get("nonResourceAttributes")
    if bool(resource) == bool(path):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        told = fail.invalid_value("spec.resourceAttributes", "null" if not resource else "{}", why)
        # The real server leaves the kind out here.
        raise fail.invalid("", AUTHORIZATION, "", [told])
    if path:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    plural = resource.get("resource", "")
    if resource.get("subresource"):
        plural += f"/{resource['subresource']}"
    return Attributes(
        verb=resource.get("verb", ""),
        group=resource.get("group", ""),
        resource=plural,
        name=resource.get("name", ""),
        namespace=resource.get("namespace", ""),
    )


def user_info(user: UserInfo) -> Obj:
    """A user as ``userInfo`` objects show one."""
    found: Obj = {"username": user.name}
    if user.uid:
        found["uid"] = user.uid
    found["groups"] = list(user.groups)
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return found
