# SPDX-License-Identifier: Apache-2.0
"""Runs that break at each step of a connection tell no credential, neither on the console nor in any result file."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from aiohttp import web
from livenad.api.connection import open_connection
from livenad.guest.ssh import SshShell
from livenad.guest.streams import open_port_forward
from livenad.model import GuestLogin
from robot.api import ExecutionResult

from testplan.__main__ import judge_run, write_reports
from tests.unit.support.authority import Authority
from tests.unit.support.gateway import Gateway
from tests.unit.support.ssh_lab import SshLab
from tests.unit.support.tls_api import TlsApi

ROOT = Path(__file__).parents[3]
KINDS = ("inline", "file", "file of lines", "password", "exec", "certificate")
STREAM_KINDS = ("inline", "file", "exec", "certificate")
REQUESTS = {
    "refused": (None, "connection refused"),
    "silent at TLS": (0, "connected, but silent"),
    "silent within TLS": (500, "connected, but silent"),
    "answered 401": (1 << 30, "401"),
}
"""The bytes of answers that a gateway lets through, None: nothing listens; and what is told."""

UNOPENED = "the API server wss://.* was silent: it opened no stream"
LATER = "did not come within|takes no command|not confirmed within|did not end within"
STREAMS = {
    "refused": (None, "Connection refused"),
    "silent at TLS": (0.0, UNOPENED),
    "silent within TLS": (0.2, UNOPENED),
    "silent within the key exchange": (0.6, LATER),
    "silent at the login": (0.8, LATER),
    "silent within the command": (0.97, LATER),
}
"""The same for streams: how much of the bytes of a session over SSH with one command passes."""

GUEST_PASSWORD = "s3cr3t-0f-a-guest"
SHORTEST_SECONDS = 0.8


@dataclass
class Lab:
    """Ports of gateways, by how they break, before an API server and before streams to a guest."""

    requests: dict[str, int]
    streams: dict[str, int]
    folder: Path
    authority: Authority
    guest_key: str
    seconds: float


def secret_of(kind: str, broken: str) -> str:
    """Each its own: what a process has once called a secret it keeps from all its messages."""
    return f"s3cr3t-of-{kind}-{broken}".replace(" ", "-")


def write_kubeconfig(folder: Path, authority: Authority, kind: str, port: int, secret: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(authority.pem)
    (folder / "token").write_text(f"{secret}\n", encoding="utf-8")
    (folder / "many").write_text(f"{secret}\n\n{secret}\n", encoding="utf-8")
    if kind == "certificate":
        authority.issue("me", folder / "me.crt", folder / "me.key")
    version = "client.authentication.k8s.io/v1"
    told = f'{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {{"token": "{secret}"}}}}'
    plugin = {"apiVersion": version, "command": "sh", "args": ["-c", 'printf %s "$TOLD_SECRET"']}
    users: dict[str, dict[str, Any]] = {
        "inline": {"token": secret},
        "file": {"tokenFile": "token"},
        "file of lines": {"tokenFile": "many"},
        "password": {"username": "me", "password": secret},
        "exec": {"exec": {**plugin, "env": [{"name": "TOLD_SECRET", "value": told}]}},
        "certificate": {"client-certificate": "me.crt", "client-key": "me.key"},
    }
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": "ca.crt"}
    config = {
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "me", "user": users[kind]}],
        "contexts": [{"name": "here", "context": {"cluster": "lab", "user": "me"}}],
        "current-context": "here",
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, authority = tmp_path_factory.mktemp("secrets"), Authority("root")
    with ExitStack() as stack:
        server = stack.enter_context(TlsApi(authority.server_side(folder)))
        server.user = "nobody"
        ssh = stack.enter_context(SshLab(tls=authority.server_side(folder)))
        ssh.streams.console = says_nothing
        began = time.monotonic()
        whole = bytes_of_a_session(folder / "whole", authority, ssh)
        # All are tried at the same time, and each is to get as far as it is let.
        seconds = min(5.0, max(SHORTEST_SECONDS, 2 * len(STREAM_KINDS) * (time.monotonic() - began)))

        def gateway(target: int, answers: int | None) -> int:
            if answers is None:
                return 9
            one = stack.enter_context(Gateway(target))
            one.answers = answers
            return one.port

        port = urlsplit(server.url).port or 0
        requests = {name: gateway(port, answers) for name, (answers, _) in REQUESTS.items()}
        streams = {
            name: gateway(ssh.streams.port, None if share is None else int(share * whole))
            for name, (share, _) in STREAMS.items()
        }
        (folder / "password").write_text(GUEST_PASSWORD, encoding="utf-8")
        (folder / "guest.key").write_text(ssh.ssh.private_key, encoding="utf-8")
        (folder / "host.pub").write_text(ssh.host_key, encoding="utf-8")
        yield Lab(requests, streams, folder, authority, ssh.ssh.private_key, seconds)


async def says_nothing(console: web.WebSocketResponse) -> None:
    async for _ in console:
        pass


def bytes_of_a_session(folder: Path, authority: Authority, ssh: SshLab) -> int:
    config = write_kubeconfig(folder, authority, "inline", ssh.gateway.port, "none")
    options = open_connection(str(config)).stream_options()
    login = GuestLogin(ssh.ssh.user, "", ssh.ssh.private_key, ssh.host_key)
    shell = SshShell("demo/web", login, lambda timeout: open_port_forward(options, "demo", "web", 22, timeout))
    shell.run("true", 10)
    passed = ssh.gateway.passed
    shell.close()
    return passed


@pytest.fixture(scope="module")
def run(lab: Lab) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One run with a suite for each way in which requests break, and one with a test for each that streams do."""
    suites, kubeconfigs = lab.folder / "suites", lab.folder / "kubeconfigs"
    suites.mkdir()
    for broken, port in lab.requests.items():
        for kind in KINDS:
            name = f"{kind}, requests {broken}"
            path = write_kubeconfig(kubeconfigs / name, lab.authority, kind, port, secret_of(kind, broken))
            (suites / f"{name}.robot").write_text(
                "*** Settings ***\nLibrary    KubeVirtLibrary\nLibrary    breaking_streams\n*** Variables ***\n"
                f"${{KUBECONFIG}}    {path}\n*** Test Cases ***\n{name}\n    Get Cluster Facts\n"
                f"Evidence of {name}\n    Break An Open Run    ${{KUBECONFIG}}\n",
                encoding="utf-8",
            )
    tests = ""
    for broken, port in lab.streams.items():
        paths = [
            write_kubeconfig(
                kubeconfigs / f"{kind}, streams {broken}",
                lab.authority,
                kind,
                port,
                secret_of(kind, f"streams-{broken}"),
            )
            for kind in STREAM_KINDS
        ]
        tests += f"streams {broken}\n    Run In Guests    {lab.folder}    {lab.seconds}"
        tests += "".join(f"    {path}" for path in paths) + "\n"
    head = "*** Settings ***\nLibrary    KubeVirtLibrary\nLibrary    breaking_streams\n*** Test Cases ***\n"
    (suites / "streams.robot").write_text(head + tests, encoding="utf-8")
    results = lab.folder / "results"
    roots = (ROOT / "libraries", ROOT, ROOT / "tests" / "unit" / "support")
    told = subprocess.run(
        [
            *(sys.executable, "-m", "robot", "--loglevel", "TRACE", "--outputdir", str(results)),
            *("--xunit", "xunit.xml", "--debugfile", "debug.txt"),
            *(word for path in roots for word in ("--pythonpath", str(path))),
            str(suites),
        ],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    judgement, read = judge_run(results / "output.xml")
    assert read is not None
    write_reports(read, judgement, folder=results / "reports", log=results / "log.html", report=results / "report.html")
    return told, results


def test_every_step_breaks_as_a_fault_of_the_lab(run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    messages = {test.name: test.message for test in ExecutionResult(run[1] / "output.xml").suite.all_tests}
    assert len(messages) == 2 * len(KINDS) * len(REQUESTS) + len(STREAMS)
    for broken, (_, told) in REQUESTS.items():
        for kind in KINDS:
            expected = "no header can have" if kind == "file of lines" else told
            for name in (f"{kind}, requests {broken}", f"Evidence of {kind}, requests {broken}"):
                assert re.match(f"LAB ERROR: .*{expected}", messages[name])
    for broken, (_, told) in STREAMS.items():
        lines = messages[f"streams {broken}"].splitlines()
        assert len(lines) == 2 * len(STREAM_KINDS)
        assert [line for line in lines if "ssh: " in line and not re.search(told, line)] == []
        assert [line for line in lines if "it worked" in line] == []


@pytest.mark.circumstance(
    "a run at log level TRACE breaks while credentials are read or sent",
    topic="connection",
    sees="",
    verdict="PASS",
    source="https://github.com/robotframework/SeleniumLibrary/issues/202",
)
def test_no_credential_is_told(lab: Lab, run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    told, results = run
    secrets = {GUEST_PASSWORD, "s3cr3t"}
    for path in (lab.folder / "kubeconfigs").rglob("*.key"):
        secrets |= {line for line in path.read_text(encoding="utf-8").splitlines() if "-" not in line}
    secrets |= {line for line in lab.guest_key.splitlines() if "-" not in line}
    for broken in REQUESTS:
        secrets.add(base64.b64encode(f"me:{secret_of('password', broken)}".encode()).decode())
    texts = {"console": told.stdout + told.stderr}
    texts |= {str(path.relative_to(results)): path.read_text("utf-8") for path in results.rglob("*") if path.is_file()}
    assert {"output.xml", "log.html", "report.html", "xunit.xml", "debug.txt", "reports/signoff.html"} <= set(texts)
    evidence = {name for name in texts if name.startswith("evidence/") and name.endswith("/index.html")}
    assert len(evidence) == (len(KINDS) - 1) * len(REQUESTS), "a token of several lines is refused before a page is"
    assert all("Evidence of" in texts[name] for name in evidence)
    assert [(name, secret) for name, text in texts.items() for secret in secrets if secret in text] == []
