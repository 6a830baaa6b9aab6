# SPDX-License-Identifier: Apache-2.0
"""A message without what differs between two runs of the same code. Every word stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

_Replacement = str | Callable[[re.Match[str]], str]

_UNIT = r"(?:ms|milliseconds?|s|seconds?|min|minutes?|h|hours?|days?)\b"
_NUMBER = r"\d+(?:\.\d+)?"
_TIME = rf"{_NUMBER} {_UNIT}(?: {_NUMBER} {_UNIT})*"


def normalised(message: str) -> str:
    """With placeholders such as ``<time>`` in place of what is made up, counted or measured."""
    for pattern, replacement in _STEPS:
        message = pattern.sub(replacement, message)
    return message.strip()


def _ipv6(match: re.Match[str]) -> str:
    text = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
    try:
        IPv6Address(text)
    except AddressValueError:
        return match[0]
    return "<ip>" + match[0][len(text) :]


def _answers(match: re.Match[str]) -> str:
    """Whether any came is what a message is about; how many, and whether the last one came in time, is chance."""
    return f"{'some' if int(match[1]) else 'none'} of <n> answered"


_STEPS: tuple[tuple[re.Pattern[str], _Replacement], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", "<when>"),
        (r"(?<![\w:.])\d\d:\d\d:\d\d(?:\.\d+)?(?![\w:])", "<when>"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
        (r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b", "<mac>"),
        (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}:\d+\b", "<ip>:<port>"),
        (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)", "<ip>"),
        (r"(?<![\w:.])[0-9a-f]{0,4}:[0-9a-f]{0,4}:[0-9a-f:]*", _ipv6),
        # A suite's namespace, and what the API server makes of a generateName.
        (r"\bnad-swap-[a-z0-9]{6}(?:-\d+)?\b", "nad-swap-<id>"),
        (r"(?<=[a-z0-9>])-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-<id>"),
        (r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "<hex>"),
        (r"(?<![\w.>])/(?:tmp|work|home|root|run|var|usr|opt|builds?)(?:/[\w.@+<>-]+)+", "<path>"),
        # A deadline is what the caller asked for; what did not happen within a time was waited for that long.
        # What is left of a deadline is measured, and has tenths of a second.
        (rf"(?:(?<!within )(?<![\w.]){_TIME}|(?<=within ){_TIME}(?= no )|(?<=within )\d+\.\d s)", "<time>"),
        (r"\b(\d+) of \d+ answered", _answers),
        (r"(?<![\w.<-])(?<!within )(?<!answered )(?![1-5]\d\d [A-Z])\d+(?:\.\d+)*(?![\w.]*[a-z>])", "<n>"),
        (r"(?<=[a-z])-\d+\b", "-<n>"),
    )
)
