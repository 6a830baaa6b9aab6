# SPDX-License-Identifier: Apache-2.0
"""Credentials in text: those that this process knows by value, all others by pattern.

Code that reads a credential calls `remember`. From then on no LAB ERROR has it, and no exception that ends a thread or
this process.
"""

from __future__ import annotations

import base64
import re
import sys
import threading
from collections.abc import Iterable, Iterator

HIDDEN = "[removed]"
_SHORTEST = 6

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
    re.compile(r"\bsha256~[\w-]{20,}"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)


def by_appearance(text: str) -> str:
    """The text without what looks like a private key, a token, or a password in a URL."""
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


class SecretValues:
    """Values that must not be told in any way: themselves, or as base64."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self._compiled: tuple[set[str], re.Pattern[str]] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        found: set[str] = set()
        for secret in secrets:
            for value in (secret.strip(), *secret.strip().splitlines()):
                if len(value) >= _SHORTEST and not value.startswith("-----"):
                    found |= {value, *_encoded(value)}
        if found <= self._values:
            return
        self._values = self._values | found

    def text(self, text: str) -> str:
        """The text without these values."""
        values, compiled = self._values, self._compiled
        if not values:
            return text
        if compiled is None or compiled[0] is not values:
            # Here and not as each value is added: a run adds hundreds, and tells few texts.
            compiled = values, re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))))
            self._compiled = compiled
        return compiled[1].sub(HIDDEN, text)


_KNOWN = SecretValues()
_LOCK = threading.Lock()
_hooked = False


def remember(*secrets: str) -> None:
    """Values that no error of this process may tell from now on."""
    global _hooked  # noqa: PLW0603 - a process has one set of hooks
    with _LOCK:
        _KNOWN.add(secrets)
        if not _hooked:
            _hooked = True
            _hook()


def without_secrets(text: str) -> str:
    """The text without the credentials that this process knows, and without what looks like one."""
    return by_appearance(_KNOWN.text(text))


def cleanse(error: BaseException) -> BaseException:
    """The same exception without credentials in its text and in those that led to it; another one where that fails."""
    for one in _chain(error):
        one.args = tuple(_cleansed(argument) for argument in one.args)
        for name in ("strerror", "filename", "msg", "reason", "doc", "object"):
            value = getattr(one, name, None)
            if isinstance(value, str | bytes) and (clean := _cleansed(value)) != value:
                setattr(one, name, clean)
    if all(_is_clean(one) for one in _chain(error)):
        return error
    told = RuntimeError(f"{type(error).__name__}: {without_secrets(str(error))}").with_traceback(error.__traceback__)
    told.__suppress_context__ = True
    return told


def _cleansed(value: object) -> object:
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        clean = without_secrets(text)
        return value if clean == text else clean
    return without_secrets(value) if isinstance(value, str) else value


def _is_clean(error: BaseException) -> bool:
    texts = [str(error), repr(error), *getattr(error, "__notes__", ())]
    return all(text == without_secrets(text) for text in texts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, those that it rests on, and those that it groups, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__]
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        yield one


def _hook() -> None:
    """Remove credentials from what Python prints of an uncaught exception."""
    at_end, in_thread = sys.excepthook, threading.excepthook

    def uncaught(kind: type[BaseException], error: BaseException, trace: object) -> None:
        told = cleanse(error)
        at_end(type(told), told, told.__traceback__)

    def uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if error is not None:
            told = cleanse(error)
            arguments = threading.ExceptHookArgs((type(told), told, told.__traceback__, arguments.thread))
        in_thread(arguments)

    sys.excepthook, threading.excepthook = uncaught, uncaught_in_thread


def _encoded(value: str) -> Iterator[str]:
    """The value inside of base64, however many bytes stand before it: its first and last characters may differ."""
    raw = value.encode()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = text[4 if offset else 0 : -1]
        if len(inner) >= _SHORTEST:
            yield inner
