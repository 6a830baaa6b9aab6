"""Keeps credentials out of evidence: those of the run by their value, all others by what they look like."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from livenad.api.kinds import Object

HIDDEN = "[removed]"
_SHORTEST = 6
_NEVER_SHOWN = frozenset({"userData", "userDataBase64"})
_NO_NEWS = frozenset({"managedFields", "kubectl.kubernetes.io/last-applied-configuration"})

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
    re.compile(r"\bsha256~[\w-]{20,}"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
# The value goes, the key stays: `password: x`, `"token": "x"`, `client-key-data=x`.
_KEYED = re.compile(
    r"(?i)(\b(?:password|passwd|plain_text_passwd|token|client-key-data|client-certificate-data|private_?key)"
    r"\\?[\"']?\s*[:=]\s*\\?[\"']?)(?!\[removed\]|null\b|true\b|false\b)([^\s\"'\\,}]+)"
)


class Redaction:
    """``secrets`` are values that must not be told in any way: themselves, or as base64."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = set()
        for secret in secrets:
            for value in (secret.strip(), *secret.strip().splitlines()):
                if len(value) >= _SHORTEST and not value.startswith("-----"):
                    values |= {value, *_encoded(value)}
        ordered = sorted(values, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without credentials."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return _KEYED.sub(rf"\1{HIDDEN}", text)

    def object(self, item: Object) -> Object:
        """A copy of an object of the cluster without the data of Secrets and without what guests are set up with."""
        if item.get("kind") == "Secret":
            item = item | {key: HIDDEN for key in ("data", "stringData") if key in item}
        return {key: _without(value) for key, value in item.items()}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: HIDDEN if key in _NEVER_SHOWN else _without(item) for key, item in value.items() if key not in _NO_NEWS
        }
    return [_without(item) for item in value] if isinstance(value, list) else value


def _encoded(value: str) -> Iterable[str]:
    """The value inside of base64, however many bytes stand before it: its first and last characters may differ."""
    raw = value.encode()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = text[4 if offset else 0 : -1]
        if len(inner) >= _SHORTEST:
            yield inner
