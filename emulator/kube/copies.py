# SPDX-License-Identifier: Apache-2.0
"""Copies of JSON data."""

from __future__ import annotations

from typing import Any

# Field sets are never changed in place, so copies share them: they are the bulk of an object.
SHARED = "fieldsV1"


def clone(value: Any) -> Any:
    """A deep copy of JSON data, many times faster than ``copy.deepcopy``; only managedFields' field sets are shared.

    Objects are copied at every step between their writer and their readers, so this is what a busy cluster does most.
    """
    kind = type(value)
    if kind is dict:
        copied = value.copy()
        for key, part in value.items():
            if (type(part) is dict or type(part) is list) and key != SHARED:
                copied[key] = clone(part)
        return copied
    if kind is list:
        copied = value.copy()
        for index, part in enumerate(value):
            if type(part) is dict or type(part) is list:
                copied[index] = clone(part)
        return copied
    return value
