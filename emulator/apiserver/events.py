# SPDX-License-Identifier: Apache-2.0
"""core/v1 and events.k8s.io/v1 Events are one object in two shapes; the core shape is stored."""

from __future__ import annotations

from .objects import Obj

# events.k8s.io field -> core field
_RENAMED = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_BACK = {core: new for new, core in _RENAMED.items()}


def to_stored_event(obj: Obj) -> Obj:
    return {_RENAMED.get(key, key): value for key, value in obj.items()} | {"apiVersion": "v1"}


def from_stored_event(obj: Obj) -> Obj:
    return {_BACK.get(key, key): value for key, value in obj.items()} | {"apiVersion": "events.k8s.io/v1"}
