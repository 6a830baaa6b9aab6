"""Structural schemas: pruning, types, required fields and unknown fields."""

from __future__ import annotations

from .context import Call
from .objects import METADATA_ORDER, Obj
from .registry import Resource

_METADATA = frozenset(METADATA_ORDER) | {"selfLink"}


def check_schema(resource: Resource, obj: Obj, call: Call) -> None:
    """Drops unknown metadata fields and says so."""
    meta = obj["metadata"]
    for key in [key for key in meta if key not in _METADATA]:
        del meta[key]
        if call.validation != "Ignore":
            call.warn(f'unknown field "metadata.{key}"')
