# SPDX-License-Identifier: Apache-2.0
"""The audit log: a line for each request from outside, in the shape of ``audit.k8s.io/v1`` at level Metadata."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from .objects import Obj
from .requests import RequestInfo
from .users import UserInfo

ASKED = web.RequestKey("audit.asked", RequestInfo)
USER = web.RequestKey("audit.user", UserInfo)


class AuditLog:
    """Appends to ``path``. A line is written when an answer begins, so a stream is logged while it is still open."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")

    async def note(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Logs the request, its user ("" if unknown) and the status of the answer."""
        info = request.get(ASKED)
        if info is not None:
            event = _event(request, info, request.get(USER), response.status)
            if info.verb == "create" and info.is_resource and not info.name and (name := await _name_in(request)):
                event["objectRef"]["name"] = name
            self._file.write(json.dumps(event, separators=(",", ":")) + "\n")

    def close(self) -> None:
        self._file.close()


def _event(request: web.BaseRequest, info: RequestInfo, user: UserInfo | None, code: int) -> Obj:
    lasting = info.verb == "watch" or code == 101
    event: Obj = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": str(uuid4()),
        "stage": "ResponseStarted" if lasting else "ResponseComplete",
        "requestURI": request.path_qs,
        "verb": info.verb,
        "user": {"username": user.name, "groups": list(user.groups)} if user else {},
        "userAgent": request.headers.get("User-Agent", ""),
        "responseStatus": {"metadata": {}, "code": code},
        "stageTimestamp": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }
    if info.is_resource:
        named = {"resource": info.resource, "namespace": info.namespace, "name": info.name}
        named |= {"apiGroup": info.group, "apiVersion": info.version, "subresource": info.subresource}
        event["objectRef"] = {key: value for key, value in named.items() if value}
    return event


async def _name_in(request: web.BaseRequest) -> str:
    """The name of the object to create, if the body has one; the body has already been read."""
    try:
        return str(json.loads(await request.read())["metadata"].get("name", ""))
    except (ValueError, KeyError, TypeError, AttributeError, OSError, web.HTTPException):
        return ""
