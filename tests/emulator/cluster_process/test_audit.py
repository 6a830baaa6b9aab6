# SPDX-License-Identifier: Apache-2.0
"""The audit log of a whole cluster: who asked for what, and what was answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.cluster import Api, plain_kubeconfig
from tests.embedded import embedded_cluster


def test_every_request_is_in_the_audit_log_with_user_and_answer(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    with embedded_cluster(tmp_path, "--audit-log", str(audit)) as kubeconfig:
        stranger = Api(plain_kubeconfig(kubeconfig, tmp_path / "stranger"))
        with pytest.raises(KeyError, match="items"):
            stranger.items("/api/v1/namespaces/default/pods")
        Api(kubeconfig).added_since("/api/v1/namespaces/default/pods", "0")
        events = [json.loads(line) for line in audit.read_text(encoding="utf-8").splitlines()]
    assert audit.stat().st_mode & 0o077 == 0
    shown = [
        (event["user"]["username"], event["verb"], event["objectRef"], event["responseStatus"]["code"], event["stage"])
        for event in events
        if event["user"]["username"].split(":")[-1] in ("embedded-admin", "stranger") and "objectRef" in event
    ]
    pods = {"resource": "pods", "namespace": "default", "apiVersion": "v1"}
    account = {"resource": "serviceaccounts", "namespace": "default", "apiVersion": "v1"}
    assert ("embedded-admin", "create", account | {"name": "stranger"}, 201, "ResponseComplete") in shown
    token = account | {"name": "stranger", "subresource": "token"}
    assert ("embedded-admin", "create", token, 201, "ResponseComplete") in shown
    assert ("system:serviceaccount:default:stranger", "list", pods, 403, "ResponseComplete") in shown
    assert ("embedded-admin", "watch", pods, 200, "ResponseStarted") in shown
