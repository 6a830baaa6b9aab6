# SPDX-License-Identifier: Apache-2.0
"""Authentication: bearer tokens, client certificates, impersonation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import replace
from ssl import SSLObject
from typing import Any

from aiohttp import web

from emulator.kube.errors import ApiError

from .core import ApiCore
from .objects import Obj, new_uid
from .rbac import Attributes, Authorizer
from .users import ANONYMOUS, AUTHENTICATED, EXTRA, UserInfo, service_account

ISSUER = "https://kubernetes.default.svc"
WEBSOCKET_BEARER = "base64url.bearer.authorization.k8s.io."


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


class Tokens:
    """Static tokens, and tokens of service accounts, signed with a key of this process."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core
        self._static: dict[str, UserInfo] = {}
        self._key = secrets.token_bytes(32)

    def add(self, token: str, user: UserInfo) -> None:
        """Registers ``token`` for ``user``."""
        self._static[token] = user

    def issue(self, namespace: str, name: str, uid: str, seconds: int, *, pod: Obj | None = None) -> str:
        """A token of a service account that is valid for this number of seconds, and as long as ``pod`` is there."""
        now = int(time.time())
        account = {"name": name, "uid": uid}
        claims = {
            "aud": [ISSUER],
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": new_uid(),
            "kubernetes.io": {"namespace": namespace, **self._bound(pod), "serviceaccount": account},
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        body = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        return f"{body}.{self._sign(body)}"

    def find(self, token: str) -> UserInfo | None:
        """The user of a token; None if it is unknown, damaged or expired, or if its service account is gone."""
        known = self._static.get(token)
        if known is not None:
            return known
        body, _, signature = token.rpartition(".")
        if not body or not hmac.compare_digest(self._sign(body), signature):
            return None
        claims = _decode(body.partition(".")[2])
        if not isinstance(claims, dict) or claims.get("exp", 0) < time.time():
            return None
        home = claims["kubernetes.io"]
        account = home["serviceaccount"]
        item = self._core.store.get("serviceaccounts", (home["namespace"], account["name"]))
        if item is None or item.obj["metadata"]["uid"] != account["uid"]:
            return None
        user = service_account(home["namespace"], account["name"], account["uid"])
        extra = {f"{EXTRA}credential-id": (f"JTI={claims['jti']}",)}
        for kind in ("node", "pod"):
            if kind in home:
                extra |= {f"{EXTRA}{kind}-{key}": (value,) for key, value in home[kind].items()}
        if "pod" in home:
            pod = self._core.store.get("pods", (home["namespace"], home["pod"]["name"]))
            if pod is None or pod.obj["metadata"]["uid"] != home["pod"]["uid"]:
                return None
        return replace(user, extra=extra)

    def _bound(self, pod: Obj | None) -> Obj:
        """The claims of a token that is bound to a pod: the pod, and its node if it has one."""
        if pod is None:
            return {}
        found: Obj = {"pod": {key: pod["metadata"][key] for key in ("name", "uid")}}
        if name := pod["spec"].get("nodeName"):
            node = self._core.store.get("nodes", ("", name))
            # The claim names a node that does not exist, too, as in pkg/registry/core/serviceaccount/storage/token.go.
            found["node"] = {"name": name} | ({"uid": node.obj["metadata"]["uid"]} if node else {})
        return found

    def _sign(self, body: str) -> str:
        return _base64(hmac.new(self._key, body.encode(), hashlib.sha256).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encode(value: Any) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decode(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Authenticator:
    """Finds the user of a request; ApiError 401 for invalid credentials."""

    def __init__(self, tokens: Tokens, authorizer: Authorizer) -> None:
        self._tokens = tokens
        self._authorizer = authorizer

    def user_of(self, request: web.BaseRequest) -> UserInfo:
        token = bearer_token(request)
        if token:
            user = self._tokens.find(token)
            if user is None:
                raise unauthorized()
            return user
        return _certificate_user(request) or ANONYMOUS

    def impersonated(self, request: web.BaseRequest, user: UserInfo, asked: str) -> UserInfo:
        """The user that the Impersonate headers ask for; ApiError 403 when ``user`` may not."""
        name = request.headers.get("Impersonate-User", "")
        groups = tuple(request.headers.getall("Impersonate-Group", ()))
        if not name:
            if groups:
                shown = ", ".join(f'"{group}"' for group in groups)
                raise ApiError(
                    400,
                    "BadRequest",
                    f'requested &user.DefaultInfo{{Name:"", UID:"", Groups:[]string{{{shown}}}, '
                    "Extra:map[string][]string(nil)} without impersonating a user name",
                )
            return user
        allowed = [Attributes("impersonate", "", "users", name)]
        allowed += [Attributes("impersonate", "", "groups", group) for group in groups]
        if not all(self._authorizer.decide(user, attributes).allowed for attributes in allowed):
            raise ImpersonationRefused(asked)
        return _impersonated_user(request, name, groups)


class ImpersonationRefused(Exception):
    """The user may not impersonate; carries the verb of the request that asked for it."""


def bearer_token(request: web.BaseRequest) -> str:
    """The token of the Authorization header or of a websocket's subprotocol; "" when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if protocol.strip().startswith(WEBSOCKET_BEARER):
            encoded = protocol.strip().removeprefix(WEBSOCKET_BEARER)
            try:
                return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            except ValueError:
                raise unauthorized() from None
    return ""


def _certificate_user(request: web.BaseRequest) -> UserInfo | None:
    ssl_object = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
    certificate = ssl_object.getpeercert() if isinstance(ssl_object, SSLObject) else None
    if not certificate:
        return None
    name, groups = "", []
    subject: Any = certificate.get("subject", ())
    for part in subject:
        for key, value in part:
            if key == "commonName":
                name = str(value)
            elif key == "organizationName":
                groups.append(str(value))
    return UserInfo(name, (*groups, AUTHENTICATED)) if name else None


def _impersonated_user(request: web.BaseRequest, name: str, groups: tuple[str, ...]) -> UserInfo:
    if name.startswith("system:serviceaccount:") and not groups and name.count(":") == 3:
        _, _, namespace, account = name.split(":")
        return service_account(namespace, account)
    if AUTHENTICATED not in groups and name != ANONYMOUS.name:
        groups = (*groups, AUTHENTICATED)
    extra: dict[str, tuple[str, ...]] = {}
    for header in request.headers:
        if header.lower().startswith("impersonate-extra-"):
            extra[header[len("Impersonate-Extra-") :].lower()] = tuple(request.headers.getall(header))
    return UserInfo(name, groups, request.headers.get("Impersonate-Uid", ""), extra)
