# SPDX-License-Identifier: Apache-2.0
"""Kubernetes quantities, as far as defaults are computed from them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

PATTERN = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def is_quantity(value: object) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, str) and re.match(PATTERN, value) is not None)


def to_bytes(value: object) -> int:
    """ValueError for what is no quantity of bytes."""
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(value))
    if match is None:
        raise ValueError(f"{value!r} is no quantity")
    factor = BINARY.get(match[2]) or DECIMAL.get(match[2])
    if factor is None:
        raise ValueError(f"{value!r} has an unknown unit")
    try:
        return int(Decimal(match[1]) * factor)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no quantity") from None


def times(value: str, factor: int) -> str:
    """The product in the value's own kind of unit, in the largest one that needs no fraction."""
    total = to_bytes(value) * factor
    units = DECIMAL if re.search(r"[kMGT]$", value) else BINARY
    for unit, size in sorted(units.items(), key=lambda item: -item[1]):
        if total % size == 0 and total >= size:
            return f"{total // size}{unit}"
    return str(total)
