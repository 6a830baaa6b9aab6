# SPDX-License-Identifier: Apache-2.0
# SPDX-License-Identifier: Apache-2.0
# SPDX-License-Identifier: Apache-2.0
"""A server that lets in by client certificate: requests, watches and streams alike; without TLS every client."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_EMPTY = {
    "metadata": {"resourceVersion": "1"},
    "items": [],
    "status": "success",
    "data": {"resultType": "vector", "result": []},
}
"""A list, and an answer of Prometheus."""


class TlsApi:
    """``user`` is let in, by the certificate's common name; all others are answered 401."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.user = ""
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> TlsApi:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler_of(api: TlsApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody asks."""

        def do_GET(self) -> None:
            shown: Any = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else {}
            names = {str(value) for ((key, value),) in (shown or {}).get("subject", ()) if key == "commonName"}
            let_in = not api.user or api.user in names
            api.refused += not let_in
            if let_in and "watch=true" in self.path:
                self._answer(200, b"")
            elif let_in and self.path.endswith("/console"):
                self._answer(404, b'{"message": "no such VMI"}')
            elif let_in:
                self._answer(200, json.dumps(_EMPTY).encode())
            else:
                # Pages of proxies and of log-ins show what was sent.
                sent = {"message": f"Unauthorized: {self.headers.get('Authorization')}"}
                self._answer(401, json.dumps(sent).encode())

        def _write(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(200, json.dumps(_EMPTY).encode())

        do_POST = do_PATCH = do_DELETE = _write  # noqa: N815 - names that the server looks for

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
