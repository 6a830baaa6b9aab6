# SPDX-License-Identifier: Apache-2.0
"""No credential gets into evidence, and what is needed to understand a failure does."""

from __future__ import annotations

import base64
import json

import pytest
from livenad.report.evidence.redaction import Redaction
from livenad.secret_text import HIDDEN
from livenad.virtual_machines.credentials import new_key_pair, new_password

PASSWORD = new_password()
KEY = new_key_pair("test").private
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        f"login as {PASSWORD} failed",
        KEY,
        json.dumps({"userData": KEY}),
        base64.b64encode(f"#cloud-config\npassword: {PASSWORD}\n".encode()).decode(),
        base64.b64encode(f"x{PASSWORD}y".encode()).decode(),
    ],
    ids=["plain", "key", "json", "base64", "inside base64"],
)
def test_what_the_run_knows_is_removed_in_any_form(text: str) -> None:
    shown = Redaction([PASSWORD, KEY]).text(text)
    assert HIDDEN in shown
    assert PASSWORD not in shown
    assert not [line for line in KEY.splitlines()[1:-1] if line in shown]
    for encoded in (base64.b64encode(b"\0" * offset + PASSWORD.encode()).decode() for offset in range(3)):
        assert encoded[4:-4] not in shown


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        ("authorization: Bearer sha256~AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg", "sha256~"),
        ("    client-key-data: LS0tLS1CRUdJTiBSU0E=", "LS0tLS1"),
        ('{"password": "hunter2hunter2"}', "hunter2"),
        ('"{\\"token\\": \\"abcdef\\"}"', "abcdef"),
        ("MONITORING_URL: https://me:hunter2@prometheus", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter", "MIIE"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "cut off"),
    ],
)
def test_what_looks_like_a_credential_is_removed(text: str, secret: str) -> None:
    shown = Redaction().text(text)
    assert secret not in shown
    assert HIDDEN in shown
    assert "after" in shown or "after" not in text


def test_what_is_none_stays() -> None:
    text = "automountServiceAccountToken: false\nsecretName: guest\ntokenExpirationSeconds: 3607\npassword: null\n"
    assert Redaction([PASSWORD]).text(text) == text


def test_objects_lose_secret_data_and_what_guests_are_set_up_with() -> None:
    volume = {"cloudInitNoCloud": {"userData": "#cloud-config", "networkData": "version: 2"}}
    item = {
        "kind": "VirtualMachineInstance",
        "metadata": {
            "name": "web",
            "managedFields": [{}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"},
        },
        "spec": {"volumes": [volume]},
    }
    shown = Redaction().object(item)
    assert shown["spec"]["volumes"][0]["cloudInitNoCloud"] == {"userData": HIDDEN, "networkData": "version: 2"}
    assert shown["metadata"] == {"name": "web", "annotations": {"a": "b"}}
    assert item["spec"] == {"volumes": [volume]}
    secret = Redaction().object({"kind": "Secret", "metadata": {"name": "s"}, "data": {"key": "dmFsdWU="}})
    assert secret == {"kind": "Secret", "metadata": {"name": "s"}, "data": HIDDEN}
