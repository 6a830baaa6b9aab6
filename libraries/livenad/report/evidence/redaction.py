# SPDX-License-Identifier: Apache-2.0
"""Removes credentials from evidence: those of the run by value, all others by pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from livenad.api.kinds import Object
from livenad.secret_text import HIDDEN, SecretValues, without_secrets

_NEVER_SHOWN = frozenset({"userData", "userDataBase64"})
_NO_NEWS = frozenset({"managedFields", "kubectl.kubernetes.io/last-applied-configuration"})

# The value is removed, the key is kept: `password: x`, `"token": "x"`, `client-key-data=x`.
_KEYED = re.compile(
    r"(?i)(\b(?:password|passwd|plain_text_passwd|token|client-key-data|client-certificate-data|private_?key)"
    r"\\?[\"']?\s*[:=]\s*\\?[\"']?)(?!\[removed\]|null\b|true\b|false\b)([^\s\"'\\,}]+)"
)


class Redaction:
    """``secrets`` are values to be removed, also as base64, beside those that this process knows."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values = SecretValues(secrets)

    def text(self, text: str) -> str:
        """The text without credentials."""
        return _KEYED.sub(rf"\1{HIDDEN}", without_secrets(self._values.text(text)))

    def object(self, item: Object) -> Object:
        """A copy of an object of the cluster without the data of Secrets and without cloud-init data."""
        if item.get("kind") == "Secret":
            item = item | {key: HIDDEN for key in ("data", "stringData") if key in item}
        return {key: _without(value) for key, value in item.items()}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if key in _NEVER_SHOWN else _without(item) for key, item in value.items() if key not in _NO_NEWS
        }
    return [_without(item) for item in value] if isinstance(value, list) else value
