# SPDX-License-Identifier: Apache-2.0
"""The attributes of an HTTP request: verb, resource and object, as the authorizer and the handlers need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .selectors import parse_fields

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
# A project is a namespace under another name: a right in the namespace is a right on the project.
_NAMESPACE_LIKE = ("project.openshift.io", "projects")
_TRUE = ("1", "true", "True", "t", "T", "TRUE", "")


@dataclass(frozen=True)
class RequestInfo:
    """One request, taken apart. ``resource`` is empty when the path names none.

    ``parts`` are the path's segments after the subresource, such as port and protocol of a port-forward.
    """

    method: str
    path: str
    verb: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    parts: tuple[str, ...] = ()

    @property
    def is_resource(self) -> bool:
        return bool(self.resource)

    @property
    def shown(self) -> str:
        """``virtualmachines.kubevirt.io``, as messages name it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def full_resource(self) -> str:
        """``virtualmachines/status``, as rules name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def read_request(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Takes a path apart; a path that is no resource's keeps its method in lower case as the verb."""
    plain = RequestInfo(method, path, method.lower())
    segments = path.strip("/").split("/")
    if segments[0] == "api" and len(segments) >= 3:
        group, version, rest = "", segments[1], segments[2:]
    elif segments[0] == "apis" and len(segments) >= 4:
        group, version, rest = segments[1], segments[2], segments[3:]
    else:
        return plain
    if "" in rest:
        return plain
    watching = rest[0] == "watch" and len(rest) > 1
    if watching:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        # namespaces/a, namespaces/a/status and namespaces/a/finalize are about the namespace itself.
        if len(rest) > 2 and rest[2] not in ("status", "finalize"):
            rest = rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    sub = rest[2] if len(rest) > 2 else ""
    verb = _VERBS.get(method, method.lower())
    if not name:
        if verb == "get":
            verb = "watch" if watching or query.get("watch", "0") in _TRUE else "list"
            name = _selected_name(query.get("fieldSelector", ""))
            return RequestInfo(method, path, verb, group, version, namespace, rest[0], name)
        if verb == "delete":
            verb = "deletecollection"
    elif watching:
        verb = "watch"
    if (group, rest[0]) == _NAMESPACE_LIKE:
        namespace = name
    return RequestInfo(method, path, verb, group, version, namespace, rest[0], name, sub, tuple(rest[3:]))


def _selected_name(fields: str) -> str:
    try:
        terms = parse_fields(fields)
    except ValueError:
        return ""
    return next((value for path, value, equal in terms if path == "metadata.name" and equal), "")
