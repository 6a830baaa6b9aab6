# SPDX-License-Identifier: Apache-2.0
"""Listeners of ReportPortal and Allure hear of a run what Robot's log shows, with nothing changed here.

Neither is a requirement: where one is not installed its test is skipped. ``.venv/bin/pip install NAME`` brings it.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from .conftest import ROOT

# One of the four tests ends red, so that a failure is seen to arrive.
RUN = ("--include", "nad-25", "--variable", "EXPECTED_CAPABILITIES:dynamic-networks-controller")
RED = "Expected Capabilities Are Available"
LAB_ERROR = 2
MESSAGE = "LAB ERROR: "


def run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [str(ROOT / "run.sh"), *RUN, "--outputdir", str(folder / "results"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == LAB_ERROR, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr


class _ReportPortal(ThreadingHTTPServer):
    """Keeps every request and gives an id for each: all that the client needs of the service."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _ReportPortal

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        self.server.requests.append((self.command, self.path, json.loads(body) if is_json and body else body))
        answer = json.dumps({"id": str(uuid4()), "message": "ok"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def report_portal() -> Iterator[_ReportPortal]:
    with _ReportPortal() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_report_portal_hears_of_every_test(tmp_path: Path) -> None:
    pytest.importorskip("robotframework_reportportal", reason="robotframework-reportportal is not installed")
    with report_portal() as server:
        run(
            tmp_path,
            *("--listener", "robotframework_reportportal.listener"),
            *("--variable", f"RP_ENDPOINT:http://127.0.0.1:{server.server_port}"),
            *("--variable", "RP_API_KEY:a-key", "--variable", "RP_PROJECT:nad", "--variable", "RP_LAUNCH:preflight"),
        )
        requests = server.requests
    launches = [body for verb, path, body in requests if verb == "POST" and path.endswith("/nad/launch")]
    assert [launch["name"] for launch in launches] == ["preflight"]
    started = [body for verb, path, body in requests if verb == "POST" and "/nad/item" in path]
    tests = {item["name"]: item for item in started if item["type"] == "STEP" and item["hasStats"]}
    assert len(tests) == 4
    assert {"value": "nad-25"} in tests[RED]["attributes"]
    statuses = [body["status"] for verb, path, body in requests if verb == "PUT" and "/nad/item/" in path]
    assert "FAILED" in statuses
    logs = b"".join(body for verb, path, body in requests if path.endswith("/nad/log") and isinstance(body, bytes))
    assert MESSAGE.encode() in logs


def test_allure_keeps_a_result_of_every_test(tmp_path: Path) -> None:
    pytest.importorskip("allure_robotframework", reason="allure-robotframework is not installed")
    run(tmp_path, "--listener", f"allure_robotframework:{tmp_path / 'allure'}")
    results = [json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "allure").glob("*-result.json")]
    assert {result["name"]: result["status"] for result in results if result["name"] == RED} == {RED: "failed"}
    assert len(results) == 4
    (red,) = [result for result in results if result["name"] == RED]
    assert MESSAGE in red["statusDetails"]["message"]
    assert {"name": "tag", "value": "nad-25"} in red["labels"]
