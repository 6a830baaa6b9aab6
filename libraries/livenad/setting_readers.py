# SPDX-License-Identifier: Apache-2.0
"""Readers of what a user may set: text in, typed value out, or what was expected instead.

A reader gets the text and a parser of times; it raises `Unreadable` with what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import Any

Seconds = Callable[[str], float]
"""Parses a time as the user writes it ("2 min 30 s") into seconds; raises ValueError."""

Reader = Callable[[str, Seconds], Any]

_LAST_VLAN = 4094
_LONGEST_TIME = 86400


class Unreadable(ValueError):
    """A text that a reader cannot take; the message says what it expected."""


def plain(text: str, _: Seconds) -> str:
    """Any text."""
    return text


def matching(good: Callable[[str], object], expected: str) -> Reader:
    """Text for which ``good`` gives something true."""

    def read(text: str, _: Seconds) -> str:
        if not good(text):
            raise Unreadable(expected)
        return text

    return read


def one_of(*choices: str) -> Reader:
    """One of a few words."""
    return matching(lambda text: text in choices, f"one of {', '.join(choices)}")


def yes_or_no(text: str, _: Seconds) -> bool:
    """``yes`` or ``no``; YAML makes ``true`` and ``false`` of them."""
    if text.lower() not in ("yes", "no", "true", "false"):
        raise Unreadable("yes or no")
    return text.lower() in ("yes", "true")


def time(text: str, seconds: Seconds) -> float:
    """A time above 0, in seconds."""
    try:
        result = seconds(text)
    except ValueError:
        result = 0.0
    if not 0 < result <= _LONGEST_TIME:
        raise Unreadable('a time above 0 and up to one day, such as "90 s" or "2 min 30 s"')
    return result


def time_or_nothing(text: str, seconds: Seconds) -> float | None:
    """A time above 0, in seconds; None for an empty text."""
    return time(text, seconds) if text else None


def percent(text: str, _: Seconds) -> int:
    """A whole number from 0 to 99."""
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII):
        raise Unreadable("a whole number of percent from 0 to 99")
    return int(text)


def count(most: int) -> Reader:
    """A whole number from 1 to ``most``."""

    def read(text: str, _: Seconds) -> int:
        if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII) or int(text) > most:
            raise Unreadable(f"a whole number from 1 to {most}")
        return int(text)

    return read


def words(good: Callable[[str], object], expected: str) -> Reader:
    """A list of words, separated by commas, each of which is ``good`` and stands there once; empty for none."""

    def read(text: str, _: Seconds) -> tuple[str, ...]:
        found = tuple(part.strip() for part in text.split(",")) if text else ()
        if not all(good(word) for word in found) or len(set(found)) < len(found):
            raise Unreadable(expected)
        return found

    return read


def vlans(text: str, _: Seconds) -> tuple[int, ...]:
    """VLAN ids and ranges of them, such as ``100-199, 300``: the ids in their order, each once."""
    expected = f"VLAN ids from 1 to {_LAST_VLAN} and ranges of them, each id once, such as 100-199, 300"
    ids: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", part.strip(), re.ASCII)
        if found is None:
            raise Unreadable(expected)
        first, last = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= last <= _LAST_VLAN:
            raise Unreadable(expected)
        ids += range(first, last + 1)
    if len(set(ids)) < len(ids):
        raise Unreadable(expected)
    return tuple(ids)


def vlans_text(ids: Iterable[int]) -> str:
    """The ids as a user writes them: ``100-199, 300``."""
    parts: list[list[int]] = []
    for vlan in sorted(ids):
        if parts and vlan == parts[-1][1] + 1:
            parts[-1][1] = vlan
        else:
            parts.append([vlan, vlan])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def ipv4_prefix(text: str, _: Seconds) -> str:
    """The first two numbers of IPv4 addresses that guests may have among themselves."""
    expected = "the first two numbers of private IPv4 addresses, such as 10.10 or 192.168"
    try:
        network = IPv4Network(f"{text}.0.0/16")
    except ValueError:
        raise Unreadable(expected) from None
    if not network.is_private or network.is_loopback or network.is_link_local or text.count(".") != 1:
        raise Unreadable(expected)
    return text


def ipv6_prefix(text: str, _: Seconds) -> str:
    """The first three groups of IPv6 addresses that guests may have among themselves; empty where they have none."""
    expected = "nothing, or the first three groups of IPv6 addresses, such as fd00:10:10"
    if not text:
        return text
    try:
        network = IPv6Network(f"{text}::/48")
    except ValueError:
        raise Unreadable(expected) from None
    if "::" in text or text.count(":") != 2 or network.is_multicast or network.is_link_local or network.is_loopback:
        raise Unreadable(expected)
    return text
