# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' quantities as exact numbers, and back in the units that they were given in."""

from __future__ import annotations

import re
from fractions import Fraction

BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
DECIMAL = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
SMALL = {"m": Fraction(1, 1000), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
_SHAPE = re.compile(r"([+-]?\d+(?:\.\d+)?|[+-]?\.\d+)(?:([eE][+-]?\d+)|([A-Za-z]*))")


def parse(text: object) -> Fraction:
    """ValueError for what is no quantity."""
    match = _SHAPE.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is no quantity")
    if match[2]:
        return Fraction(str(text))
    unit = match[3] or ""
    if unit not in {"", *BINARY, *DECIMAL, *SMALL}:
        raise ValueError(f"{text!r} has an unknown unit")
    return Fraction(match[1]) * Fraction((BINARY | DECIMAL | SMALL).get(unit, 1))


def is_binary(text: object) -> bool:
    return str(text).endswith("i")


def show(value: Fraction, *, binary: bool) -> str:
    """In the largest unit that needs no fraction: ``1500Mi``, ``2G``, ``150m``."""
    if value.denominator != 1:
        return f"{-(-value * 1000 // 1)}m"
    units = BINARY if binary else DECIMAL
    for unit, size in sorted(units.items(), key=lambda pair: -pair[1]):
        if value and value % size == 0:
            return f"{value / size}{unit}"
    return str(value)
