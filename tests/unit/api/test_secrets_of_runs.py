"""Runs that break at each step of a connection tell no credential, neither on the console nor in any result file."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.unit.support.authority import Authority
from tests.unit.support.gateway import Gateway
from tests.unit.support.tls_api import TlsApi

SECRET = "s3cr3t-0f-a-person-who-runs-tests"
ROOT = Path(__file__).parents[3]
SUITE = "*** Settings ***\nLibrary    KubeVirtLibrary\n*** Test Cases ***\nOne\n    Get Cluster Facts\n"
BREAKS = {"refused": None, "silent at TLS": 0, "cut within TLS": 500, "answered 401": 1 << 30}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("root")


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[TlsApi]:
    with TlsApi(authority.server_side(tmp_path)) as one:
        one.user = "nobody"
        yield one


def users(folder: Path, authority: Authority) -> dict[str, dict[str, Any]]:
    authority.issue("me", folder / "me.crt", folder / "me.key")
    (folder / "token").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "many").write_text(f"{SECRET}\n\n{SECRET}\n", encoding="utf-8")
    status = f'{{"token": "{SECRET}"}}'
    version = "client.authentication.k8s.io/v1"
    told = f'{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {status}}}'
    plugin = {"apiVersion": version, "command": "sh", "args": ["-c", 'printf %s "$TOLD_SECRET"']}
    return {
        "inline": {"token": SECRET},
        "file": {"tokenFile": "token"},
        "file of lines": {"tokenFile": "many"},
        "password": {"username": "me", "password": SECRET},
        "exec": {"exec": {**plugin, "env": [{"name": "TOLD_SECRET", "value": told}]}},
        "certificate": {"client-certificate": "me.crt", "client-key": "me.key"},
    }


KINDS = ("inline", "file", "file of lines", "password", "exec", "certificate")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("broken", BREAKS)
def test_run_that_breaks(kind: str, broken: str, server: TlsApi, authority: Authority, tmp_path: Path) -> None:
    with Gateway(urlsplit(server.url).port or 0) as gateway:
        gateway.answers = BREAKS[broken]
        port = gateway.port if BREAKS[broken] is not None else 9
        cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": "ca.crt"}
        (tmp_path / "ca.crt").write_bytes(authority.pem)
        user = users(tmp_path, authority)[kind]
        config = {
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "here", "context": {"cluster": "lab", "user": "me"}}],
            "current-context": "here",
        }
        (tmp_path / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
        (tmp_path / "one.robot").write_text(SUITE, encoding="utf-8")
        results = tmp_path / "results"
        told = subprocess.run(
            [
                *(sys.executable, "-m", "robot", "--loglevel", "TRACE", "--outputdir", str(results)),
                *("--xunit", "xunit.xml", "--debugfile", "debug.txt"),
                *("--variable", f"KUBECONFIG:{tmp_path / 'config'}", str(tmp_path / "one.robot")),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT / "libraries")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert told.returncode == 1, told.stdout
    assert "LAB ERROR" in told.stdout
    secrets = [SECRET, base64.b64encode(f"me:{SECRET}".encode()).decode()]
    secrets += [line for line in (tmp_path / "me.key").read_text(encoding="utf-8").splitlines() if "-" not in line]
    texts = {"console": told.stdout + told.stderr}
    texts |= {path.name: path.read_text(encoding="utf-8") for path in results.iterdir()}
    assert {"output.xml", "log.html", "report.html", "xunit.xml", "debug.txt"} <= set(texts)
    for secret in secrets:
        assert [name for name, text in texts.items() if secret in text] == []
