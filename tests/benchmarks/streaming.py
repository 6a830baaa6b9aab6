# SPDX-License-Identifier: Apache-2.0
"""A server of its own that streams states of many VMIs: python -m tests.benchmarks.streaming VMS EVENTS_A_SECOND

Prints its port. Every state says when it was committed, by the monotonic clock, which all processes of a machine share.
Each fiftieth is one of VMI ``watched``, which counts up.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WATCHED, EACH = "watched", 50
PADDING = {f"annotation-{number}": "x" * 100 for number in range(50)}
"""A VMI of a real cluster is about as large."""


def vmi(name: str, version: int, count: int) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "demo", "uid": name, "resourceVersion": str(version), "annotations": PADDING}
    return {"metadata": metadata, "status": {"count": count, "committed": time.monotonic()}}


def main(vms: int, events_a_second: float) -> None:
    names = [f"vm-{number}" for number in range(vms)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # as an API server does: otherwise a state waits 40 ms for an acknowledgement

        def log_message(self, format: str, *args: Any) -> None:
            """It says nothing."""

        def do_GET(self) -> None:
            if "watch=true" in self.path:
                self._stream()
                return
            items = [vmi(name, 1, 0) for name in [*names, WATCHED]]
            raw = json.dumps({"items": items, "metadata": {"resourceVersion": "1"}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            due = time.monotonic()
            for number in range(1, 10**9):
                due += 1 / events_a_second
                time.sleep(max(0.0, due - time.monotonic()))
                count, left = divmod(number, EACH)
                item = vmi(names[number % vms] if left else WATCHED, number + 1, count)
                line = json.dumps({"type": "MODIFIED", "object": item}).encode() + b"\n"
                try:
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                except OSError:
                    return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
