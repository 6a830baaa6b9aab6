# SPDX-License-Identifier: Apache-2.0
"""Objects as flat tables: one path and one value for each field, so that two states can be compared whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from livenad.api.kinds import Object
from livenad.api.status import NETWORK_STATUS

Fields = dict[str, object]
"""Values by path, such as ``status.conditions[Ready].status``. A list of plain values is one value, as JSON text."""

NETWORKS = "k8s.v1.cni.cncf.io/networks"
_ENTRY_KEYS = ("name", "type", "interface", "phase", "mountPath", "containerPort", "key")
"""Fields that name the entry of a list, the first one that all its entries have."""
_JSON_TEXT = (NETWORKS, NETWORK_STATUS)
_NETWORK_KEY = "interface"
_IGNORED = ("managedFields", "selfLink")


def fields_of(item: Object) -> Fields:
    """Every field of an object but its managedFields. Entries of lists are named, so that their order is no matter.

    The two annotations in which Multus lists networks are read as JSON; their entries are named by ``interface``.
    """
    kept = {key: value for key, value in item.items() if key not in ("apiVersion", "kind")}
    kept["metadata"] = {key: value for key, value in (item.get("metadata") or {}).items() if key not in _IGNORED}
    return dict(_flat(kept, ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        if not value and path:
            yield path, "{}"
        for key, inner in value.items():
            if key in _JSON_TEXT:
                yield from _networks(inner, f"{path}[{key}]")
            elif path.endswith((".annotations", ".labels", "nodeSelector", "matchLabels")):
                yield f"{path}[{key}]", inner
            else:
                yield from _flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        if not value or not all(isinstance(entry, dict) for entry in value):
            yield path, json.dumps(value, sort_keys=True)
            return
        for name, entry in zip(_names(value), value, strict=True):
            yield from _flat(entry, f"{path}[{name}]")
    else:
        yield path, value


def _networks(text: object, path: str) -> Iterator[tuple[str, object]]:
    """The entries of an annotation of Multus; its text as one value if it is not the JSON list that Multus writes."""
    try:
        entries = json.loads(str(text))
    except ValueError:
        entries = None
    if isinstance(entries, list) and all(isinstance(entry, dict) and _NETWORK_KEY in entry for entry in entries):
        yield from _flat(sorted(entries, key=lambda entry: str(entry[_NETWORK_KEY])), path)
    else:
        yield path, text


def _names(entries: list[dict[str, Any]]) -> list[str]:
    """A name for each entry: its naming field if that is unique in the list, else its position."""
    keys = (_NETWORK_KEY, *_ENTRY_KEYS) if all("interface" in entry for entry in entries) else _ENTRY_KEYS
    for key in keys:
        names = [str(entry.get(key, "")) for entry in entries]
        if all(names) and len(set(names)) == len(names):
            return names
    return [str(number) for number in range(len(entries))]
