"""Refusals, held against what a real API server (1.36) answered to the same requests."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .harness import LiveApi, config_map, nad, pod, virtual_machine

RECORDINGS = [json.loads(line) for line in (Path(__file__).parent / "recordings.jsonl").read_text().splitlines()]
UID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
NUMBER_IN_TEXT = re.compile(r"\(\d+\)")
ROLE_GROUP = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def demo(live: LiveApi) -> Iterator[LiveApi]:
    """The objects and rights that the recorded requests were made against."""
    live.create("configmaps", config_map("c1"))
    live.create("configmaps", {**config_map("imm"), "immutable": True})
    live.create("configmaps", config_map("pr"))
    live.create("configmaps", config_map("d1"))
    live.create("network-attachment-definitions.k8s.cni.cncf.io", nad("nad-a"))
    live.create("virtualmachines.kubevirt.io", virtual_machine("vm1"))
    live.create("virtualmachines.kubevirt.io", virtual_machine("vmst"))
    live.create("pods", pod("p1"))
    rules = [
        {
            "apiGroups": ["k8s.cni.cncf.io"],
            "resources": ["network-attachment-definitions"],
            "verbs": ["get", "list", "watch"],
        },
        {
            "apiGroups": ["kubevirt.io"],
            "resources": ["virtualmachines"],
            "verbs": ["get", "patch"],
            "resourceNames": ["vm1"],
        },
    ]
    live.create(f"roles.{ROLE_GROUP}", {"metadata": {"name": "net-viewer", "namespace": "demo"}, "rules": rules})
    yield live


def normalised(value: Any) -> Any:
    """Without what differs from one server to the next."""
    if isinstance(value, dict):
        return {key: normalised(inner) for key, inner in value.items() if key not in ("uid", "resourceVersion")}
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    return NUMBER_IN_TEXT.sub("(N)", UID.sub("UID", value)) if isinstance(value, str) else value


@pytest.mark.parametrize("recorded", RECORDINGS, ids=[entry["name"] for entry in RECORDINGS])
def test_refusal_is_as_recorded(demo: LiveApi, recorded: dict[str, Any]) -> None:
    where = urlsplit(demo.api.url)
    assert where.hostname is not None
    connection = HTTPSConnection(
        where.hostname, where.port, context=ssl.create_default_context(cafile=demo.api.ca_file), timeout=20
    )
    connection.putrequest(recorded["method"], recorded["url"], skip_accept_encoding=True)
    headers = dict(recorded["headers"])
    if recorded["who"] != "anonymous" and "Authorization" not in headers:
        headers["Authorization"] = f"Bearer {recorded['who']}-token"
    text = json.dumps(recorded["body"]) if "body" in recorded else recorded.get("text", "")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(text.encode())))
    connection.endheaders(text.encode())
    response = connection.getresponse()
    answer: Any = response.read().decode()
    connection.close()
    assert (response.status, response.headers["Content-Type"]) == (recorded["status"], recorded["contentType"][0])
    if isinstance(recorded["answer"], dict):
        assert answer.endswith("\n")
        answer = json.loads(answer)
        assert list(answer) == list(recorded["answer"])
    assert normalised(answer) == normalised(recorded["answer"])
