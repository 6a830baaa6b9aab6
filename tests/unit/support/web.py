# SPDX-License-Identifier: Apache-2.0
"""A web server whose answers are scripted by path: API server, router and Prometheus in one."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Web:
    """``answers`` by path: a status with a JSON body or a text. ``seen`` has path, query and headers of each request.

    ``tls`` is the server's side of HTTPS, None for plain HTTP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.seen: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Web:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def queries(self) -> list[str]:
        """The PromQL that was asked, in order."""
        return [query["query"] for _, query, _ in self.seen if "query" in query]


def vector(*metrics: dict[str, str]) -> tuple[int, Any]:
    """A successful answer of Prometheus."""
    result = [{"metric": metric, "value": [1770000000.5, "1"]} for metric in metrics]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


def _handler_of(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Requests are in ``web.seen``."""

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            web.seen.append((url.path, query, dict(self.headers)))
            status, body = web.answers.get(url.path, (404, {"kind": "Status", "code": 404, "message": "not found"}))
            raw = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler
