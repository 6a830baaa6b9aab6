# SPDX-License-Identifier: Apache-2.0
"""Responses in virt-api's own form: singular kinds, indented Statuses, and plain text from go-restful."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

GROUP = "kubevirt.io"
Obj = dict[str, Any]


class Refusal(Exception):
    """A Status with which virt-api refuses a request."""

    def __init__(self, code: int, reason: str, message: str, details: Obj | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def response(self) -> web.Response:
        return document(self.status(), self.code)

    def status(self) -> Obj:
        body: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            body["details"] = self.details
        return {**body, "code": self.code}


def dumps(value: Any) -> str:
    """JSON as go-restful prints it."""
    return json.dumps(value, indent=1, ensure_ascii=False)


def not_found(kind: str, name: str) -> Refusal:
    """``kind`` in the singular: ``virtualmachine`` or ``virtualmachineinstance``."""
    return Refusal(404, "NotFound", f'{kind}.{GROUP} "{name}" not found', _details(kind, name))


def conflict(kind: str, name: str, why: str) -> Refusal:
    message = f'Operation cannot be fulfilled on {kind}.{GROUP} "{name}": {why}'
    return Refusal(409, "Conflict", message, _details(kind, name))


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)


def internal(message: str) -> Refusal:
    details = {"causes": [{"message": message}]}
    return Refusal(500, "InternalError", f"Internal error occurred: {message}", details)


def _details(kind: str, name: str) -> Obj:
    return {"name": name, "group": GROUP, "kind": kind}


def text(status: int, body: str) -> web.Response:
    return web.Response(status=status, text=body)


def empty(status: int) -> web.Response:
    return web.Response(status=status)


def document(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=dumps(value).encode(), content_type="application/json")


def method_not_allowed(allowed: str) -> web.Response:
    response = text(405, "405: Method Not Allowed")
    response.headers["Allow"] = allowed
    return response


def page_not_found() -> web.Response:
    return text(404, "404: Page Not Found")


def not_acceptable() -> web.Response:
    return text(406, "406: Not Acceptable\n\nAvailable representations: ")
