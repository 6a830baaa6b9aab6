# SPDX-License-Identifier: Apache-2.0
"""Plain helpers on JSON objects: copies, names, metadata."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from emulator.kube import copies

Obj = dict[str, Any]
clone = copies.clone

METADATA_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
# The alphabet of generated names: no vowels and no look-alikes.
SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def new_uid() -> str:
    return str(uuid.uuid4())


def generated_name(prefix: str) -> str:
    """``prefix`` (cut to 58 characters) and five random characters."""
    return prefix[:58] + "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(5))


def ordered_metadata(meta: Obj) -> Obj:
    """The metadata with its keys in the order of the real server; unknown keys are dropped, empty values too."""
    return {key: meta[key] for key in METADATA_ORDER if meta.get(key) not in (None, {}, [], "")}


def get_path(obj: Any, path: str) -> Any:
    """The value at a dotted path such as ``status.phase``, or None."""
    for part in path.split("."):
        if not isinstance(obj, dict):
            return None
        obj = obj.get(part)
    return obj


def same_content(one: Obj, other: Obj) -> bool:
    """Equal but for managedFields and resourceVersion."""
    if one.keys() != other.keys():
        return False
    for key, value in one.items():
        if key == "metadata":
            mine = {k: v for k, v in value.items() if k not in ("managedFields", "resourceVersion")}
            theirs = {k: v for k, v in other[key].items() if k not in ("managedFields", "resourceVersion")}
            if mine != theirs:
                return False
        elif value != other[key]:
            return False
    return True
