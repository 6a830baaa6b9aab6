# SPDX-License-Identifier: Apache-2.0
"""Arguments of verdicts as JSON and back: plain values, collections, addresses, dataclasses and enums of livenad.

Credentials are left out. Only names of livenad are read, so that a file from elsewhere runs no other code.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import types
from collections.abc import Callable
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any

from livenad.errors import BadInput
from livenad.model import GuestLogin, VmRecord
from livenad.verdict_log import JudgedBy

_TYPE = "$"
_PACKAGE, _VERDICT = "livenad.", "judge_"
_ADDRESSES: dict[str, Callable[[str], Any]] = {"IPv4Interface": IPv4Interface, "IPv6Interface": IPv6Interface}
_COLLECTIONS: dict[str, Callable[[Any], Any]] = {"tuple": tuple, "frozenset": frozenset, "set": set}
_LEFT_OUT: dict[type, dict[str, Any]] = {
    GuestLogin: {"password": "", "private_key": ""},
    VmRecord: {"manifest": {}},
}
"""Fields that are not saved, with the value in their place."""


def name_of(function: JudgedBy) -> str:
    """``livenad.outage.judge_outage:judge_gaps``. ValueError for a function that is none of livenad's."""
    module, name = function.__module__, function.__qualname__
    if not module.startswith(_PACKAGE) or not name.startswith(_VERDICT):
        raise ValueError(f"{module}.{name} is no verdict of livenad")
    return f"{module}:{name}"


def function_of(name: str) -> JudgedBy:
    """The verdict of a name. BadInput for any other name."""
    found = _find(name) if f":{_VERDICT}" in name else None
    if not isinstance(found, types.FunctionType) or f"{found.__module__}:{found.__qualname__}" != name:
        raise BadInput(f"{name} is not a verdict of this version of livenad")
    return found


def encode(value: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
    """A value as JSON. ValueError for a type that is not known here."""
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, list):
        return [encode(one) for one in value]
    if isinstance(value, dict):
        return {_TYPE: "dict", "of": [[encode(key), encode(one)] for key, one in value.items()]}
    kind = type(value).__name__
    if kind in _COLLECTIONS:
        of = value if kind == "tuple" else sorted(value)
        return {_TYPE: kind, "of": [encode(one) for one in of]}
    if kind in _ADDRESSES:
        return {_TYPE: kind, "of": str(value)}
    title = f"{type(value).__module__}:{type(value).__qualname__}"
    if title.startswith(_PACKAGE) and isinstance(value, enum.Enum):
        return {_TYPE: title, "name": value.name}
    if title.startswith(_PACKAGE) and dataclasses.is_dataclass(value):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.init}
        return {_TYPE: title, **{name: encode(one) for name, one in (fields | _LEFT_OUT.get(type(value), {})).items()}}
    raise ValueError(f"{title} cannot be saved")


def decode(data: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
    """The value of what `encode` gave. BadInput for a type that this version does not have."""
    if isinstance(data, list):
        return [decode(one) for one in data]
    if not isinstance(data, dict):
        return data
    kind = str(data.get(_TYPE))
    if kind == "dict":
        return {decode(key): decode(one) for key, one in data["of"]}
    if kind in _COLLECTIONS:
        return _COLLECTIONS[kind](decode(one) for one in data["of"])
    if kind in _ADDRESSES:
        return _ADDRESSES[kind](data["of"])
    found = _find(kind)
    if isinstance(found, type) and issubclass(found, enum.Enum):
        return found[data["name"]]
    if isinstance(found, type) and dataclasses.is_dataclass(found):
        known = {one.name for one in dataclasses.fields(found)}
        return found(**{name: decode(one) for name, one in data.items() if name in known})
    raise BadInput(f"{kind} is not a type of this version of livenad")


def _find(title: str) -> object:
    module, _, name = title.partition(":")
    if not module.startswith(_PACKAGE) or not name.isidentifier():
        return None
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
