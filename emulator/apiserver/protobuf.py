# SPDX-License-Identifier: Apache-2.0
"""Decodes the protobuf bodies that clients send even to a JSON server: namespaces, config maps, secrets, quotas,
disruption budgets, access reviews.

A message is described by field numbers; fields that are not described are skipped, as protobuf readers do.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from .objects import Obj
from .status_errors import bad_request

MAGIC = b"k8s\x00"
Schema = dict[int, tuple[str, Any]]

_OWNER: Schema = {
    1: ("kind", "str"),
    3: ("name", "str"),
    4: ("uid", "str"),
    5: ("apiVersion", "str"),
    6: ("controller", "bool"),
    7: ("blockOwnerDeletion", "bool"),
}
_META: Schema = {
    1: ("name", "str"),
    2: ("generateName", "str"),
    3: ("namespace", "str"),
    5: ("uid", "str"),
    6: ("resourceVersion", "str"),
    7: ("generation", "int"),
    11: ("labels", "map"),
    12: ("annotations", "map"),
    13: ("ownerReferences", [_OWNER]),
    14: ("finalizers", ["str"]),
}
_NON_RESOURCE: Schema = {1: ("path", "str"), 2: ("verb", "str")}
_RESOURCE: Schema = {
    1: ("namespace", "str"),
    2: ("verb", "str"),
    3: ("group", "str"),
    4: ("version", "str"),
    5: ("resource", "str"),
    6: ("subresource", "str"),
    7: ("name", "str"),
}
_SELF_REVIEW: Schema = {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", _NON_RESOURCE)}
_DELETE_OPTIONS: Schema = {
    1: ("gracePeriodSeconds", "int"),
    2: ("preconditions", {1: ("uid", "str"), 2: ("resourceVersion", "str")}),
    3: ("orphanDependents", "bool"),
    4: ("propagationPolicy", "str"),
    5: ("dryRun", ["str"]),
}
_IN: Schema = {1: ("key", "str"), 2: ("operator", "str"), 3: ("values", ["str"])}
_SELECTOR: Schema = {1: ("matchLabels", "map"), 2: ("matchExpressions", [_IN])}
_SCOPED: Schema = {1: ("scopeName", "str"), 2: ("operator", "str"), 3: ("values", ["str"])}
_QUOTA: Schema = {
    1: ("hard", "quantities"),
    2: ("scopes", ["str"]),
    3: ("scopeSelector", {1: ("matchExpressions", [_SCOPED])}),
}
_BUDGET: Schema = {
    1: ("minAvailable", "int or str"),
    2: ("selector", _SELECTOR),
    3: ("maxUnavailable", "int or str"),
    4: ("unhealthyPodEvictionPolicy", "str"),
}
_BOUND: Schema = {1: ("kind", "str"), 2: ("apiVersion", "str"), 3: ("name", "str"), 4: ("uid", "str")}
_ROLE: Schema = {
    1: ("metadata", _META),
    2: (
        "rules",
        [
            {
                1: ("verbs", ["str"]),
                2: ("apiGroups", ["str"]),
                3: ("resources", ["str"]),
                4: ("resourceNames", ["str"]),
                5: ("nonResourceURLs", ["str"]),
            }
        ],
    ),
}
_BINDING: Schema = {
    1: ("metadata", _META),
    2: ("subjects", [{1: ("kind", "str"), 2: ("apiGroup", "str"), 3: ("name", "str"), 4: ("namespace", "str")}]),
    3: ("roleRef", {1: ("apiGroup", "str"), 2: ("kind", "str"), 3: ("name", "str")}),
}
_KINDS: dict[str, Schema] = {
    "Namespace": {1: ("metadata", _META), 2: ("spec", {1: ("finalizers", ["str"])})},
    "ConfigMap": {1: ("metadata", _META), 2: ("data", "map"), 3: ("binaryData", "bytesmap"), 4: ("immutable", "bool")},
    "Secret": {
        1: ("metadata", _META),
        2: ("data", "bytesmap"),
        3: ("type", "str"),
        4: ("stringData", "map"),
        5: ("immutable", "bool"),
    },
    "ServiceAccount": {1: ("metadata", _META)},
    "SelfSubjectAccessReview": {1: ("metadata", _META), 2: ("spec", _SELF_REVIEW)},
    "SelfSubjectRulesReview": {1: ("metadata", _META), 2: ("spec", {1: ("namespace", "str")})},
    "SelfSubjectReview": {1: ("metadata", _META)},
    "TokenRequest": {
        1: ("metadata", _META),
        2: ("spec", {1: ("audiences", ["str"]), 3: ("boundObjectRef", _BOUND), 4: ("expirationSeconds", "int")}),
    },
    "ResourceQuota": {1: ("metadata", _META), 2: ("spec", _QUOTA)},
    "PodDisruptionBudget": {1: ("metadata", _META), 2: ("spec", _BUDGET)},
    "DeleteOptions": _DELETE_OPTIONS,
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
}
_MAPS: dict[str, Callable[[bytes], str]] = {
    "map": bytes.decode,
    "bytesmap": lambda value: base64.b64encode(value).decode(),
    "quantities": lambda value: dict(_fields(value)).get(1, b"").decode(),
}
_TYPE_META: Schema = {1: ("apiVersion", "str"), 2: ("kind", "str")}


def decode_object(raw: bytes) -> Obj:
    """The object in a ``runtime.Unknown`` envelope; ApiError 400 when it is damaged or of a kind not described here."""
    if not raw.startswith(MAGIC):
        raise bad_request("the object provided is unrecognized: expected the protobuf magic k8s\\x00")
    try:
        envelope = dict(_fields(raw[len(MAGIC) :]))
        head = _message(envelope.get(1, b""), _TYPE_META)
        schema = _KINDS.get(head.get("kind", ""))
        if schema is None:
            raise bad_request(f"cannot decode {head.get('kind')!r} from protobuf; send JSON or YAML")
        return {"kind": head["kind"], "apiVersion": head["apiVersion"], **_message(envelope.get(2, b""), schema)}
    except (IndexError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise bad_request(f"the object provided is not valid protobuf: {error}") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of every field: an int for a varint, bytes for what has a length."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise IndexError("a field is longer than the message")
            yield number, data[at : at + size]
            at += size
        else:
            size = 8 if wire == 1 else 4
            at += size


def _message(data: bytes, schema: Schema) -> Obj:
    found: Obj = {}
    for number, value in _fields(data):
        if number not in schema:
            continue
        name, kind = schema[number]
        if isinstance(kind, str) and kind in _MAPS:
            entry = dict(_fields(value))
            found.setdefault(name, {})[entry.get(1, b"").decode()] = _MAPS[kind](entry.get(2, b""))
        elif isinstance(kind, list):
            found.setdefault(name, []).append(_value(value, kind[0]))
        else:
            decoded = _value(value, kind)
            # Go writes empty strings and zero numbers of its structs; they mean "not given".
            if decoded or isinstance(decoded, bool) or isinstance(kind, dict) or kind in ("int", "int or str"):
                found[name] = decoded
    return found


def _value(value: Any, kind: Any) -> Any:
    if isinstance(kind, dict):
        return _message(value, kind)
    if kind == "str":
        return value.decode()
    if kind == "bool":
        return bool(value)
    if kind == "int or str":
        either = dict(_fields(value))
        return either.get(3, b"").decode() if either.get(1) else either.get(2, 0)
    # A negative number travels as its two's complement in 64 bits.
    return value - (1 << 64) if value >> 63 else value
