# SPDX-License-Identifier: Apache-2.0
"""Who we are to the API server: files, certificates, plugins, a pod's account."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from livenad.errors import BadInput

from .accounts import Account
from .plugins import plugin
from .uses import ADMIN, Edit, assert_in, opened, stream_once, stream_status, with_user


def test_parts_of_several_files_are_one_kubeconfig(kubeconfig: Path, tmp_path: Path) -> None:
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    context = {"name": "lab", "context": {"cluster": config["clusters"][0]["name"], "user": ADMIN}}
    parts = [
        {"contexts": [context], "current-context": "lab"},
        {"clusters": config["clusters"], "contexts": config["contexts"], "current-context": "embedded-certificate"},
        {"users": config["users"]},
    ]
    files = [tmp_path / f"part-{number}" for number in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **part}), encoding="utf-8")
    joined = os.pathsep.join(map(str, [*files, tmp_path / "not-there"]))
    assert_in(opened(joined, "lab"))


def test_client_certificate_is_shown_to_requests_and_streams(kubeconfig: Path) -> None:
    cluster = opened(kubeconfig, "embedded-certificate")
    assert "Authorization" not in cluster.connection.headers()
    assert_in(cluster)


def test_without_credentials_nobody_is_let_in(edited: Callable[[Edit], Path]) -> None:
    assert stream_status(opened(edited(with_user({})))) in (401, 403)


def test_exec_plugin_may_give_a_certificate(kubeconfig: Path, edited: Callable[[Edit], Path], tmp_path: Path) -> None:
    users = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["users"]
    data = next(user["user"] for user in users if "client-key-data" in user["user"])
    certificate, key = (base64.b64decode(data[f"client-{what}-data"]).decode() for what in ("certificate", "key"))
    status = {"clientCertificateData": certificate, "clientKeyData": key}
    assert_in(opened(edited(with_user(plugin(tmp_path, status)))))


@pytest.mark.circumstance(
    "the exec plugin of the kubeconfig fails",
    topic="connection",
    sees="gave no credentials",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_exec_plugin_that_fails_is_named_in_one_line(edited: Callable[[Edit], Path], tmp_path: Path) -> None:
    user = plugin(tmp_path, {"token": "x"})
    (tmp_path / "plugin.py").write_text("import sys; sys.exit('no session: log in first')", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        opened(edited(with_user(user)))
    message = str(caught.value)
    assert f'exec plugin "{sys.executable}" gave no credentials: ' in message
    assert "no session: log in first" in message
    assert "\n" not in message


@pytest.mark.circumstance(
    "the exec plugin of the kubeconfig is not installed",
    topic="connection",
    sees="is not there",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_exec_plugin_that_is_not_there_is_named(edited: Callable[[Edit], Path]) -> None:
    hint = "install it from the intranet"
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "lab-login", "installHint": hint}}
    with pytest.raises(BadInput, match=f'exec plugin "lab-login" of kubeconfig .* is not there: .*; {hint}'):
        opened(edited(with_user(user)))


def test_a_pod_goes_by_its_service_account(
    kubeconfig: Path, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
    (tmp_path / "token").write_text(account.token(), encoding="utf-8")
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(entry["certificate-authority-data"]))
    host, _, port = entry["server"].removeprefix("https://").rpartition(":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    loader = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{loader}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{loader}.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    cluster = opened("")
    assert cluster.connection.source == "the pod's service account"
    assert_in(cluster, account.user)
    account.revoke()
    (tmp_path / "token").write_text(account.token(), encoding="utf-8")
    stream_once(cluster)
    assert_in(cluster, account.user)
