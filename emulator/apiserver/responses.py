# SPDX-License-Identifier: Apache-2.0
"""HTTP responses: JSON, YAML, Statuses, warnings."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from emulator.kube.errors import ApiError

from .content_negotiation import JSON, YAML, Accepted
from .http_call import HttpCall
from .render import encode

TEXT = "text/plain; charset=utf-8"


def headers_for(content_type: str, warnings: Iterable[str] = ()) -> list[tuple[str, str]]:
    found = [
        ("Audit-Id", str(uuid.uuid4())),
        ("Cache-Control", "no-cache, private"),
        ("Content-Type", content_type),
    ]
    found += [("Warning", f"299 - {json.dumps(text, ensure_ascii=False)}") for text in warnings]
    return found


def answer_bytes(http: HttpCall, body: bytes, status: int = 200) -> web.Response:
    """A body that is already JSON; converted to YAML or indented if the request asks for it."""
    media = http.accepted.media
    pretty = http.request.query.get("pretty", "") not in ("", "0", "false")
    if media != JSON or pretty:
        body = encode(json.loads(body), media, pretty=pretty)
    return _response(status, body, headers_for(media, http.warnings))


def answer_json(http: HttpCall, value: Any, status: int = 200) -> web.Response:
    pretty = http.request.query.get("pretty", "") not in ("", "0", "false")
    body = encode(value, http.accepted.media, pretty=pretty)
    return _response(status, body, headers_for(http.accepted.media, http.warnings))


def answer_error(error: ApiError, accepted: Accepted, warnings: Iterable[str] = ()) -> web.Response:
    """An ApiError as a Status."""
    media = YAML if accepted.media == YAML else JSON
    headers = headers_for(media, warnings)
    retry = (error.details or {}).get("retryAfterSeconds")
    if retry:
        headers.append(("Retry-After", str(retry)))
    return _response(error.code, encode(error.status(), media), headers)


def answer_text(status: int, text: str, *, sniffing: bool = False) -> web.Response:
    """Plain text; with a header against content sniffing unless ``sniffing``."""
    headers = headers_for(TEXT)
    if not sniffing:
        headers.append(("X-Content-Type-Options", "nosniff"))
    return _response(status, text.encode(), headers)


def page_not_found() -> web.Response:
    """The real server's answer for a path that it does not serve."""
    return answer_text(404, "404 page not found\n")


def _response(status: int, body: bytes, headers: list[tuple[str, str]]) -> web.Response:
    response = web.Response(status=status, body=body)
    response.headers.clear()
    for name, value in headers:
        response.headers.add(name, value)
    return response
