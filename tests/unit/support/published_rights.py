# SPDX-License-Identifier: Apache-2.0
"""Whether the published roles have the rights to what a fake API server was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tests.rbac.calls import EVERYBODYS
from tests.rbac.roles import read_roles
from tests.unit.support.fake_api import Seen

GRANTED = {
    (rule.group, resource, verb)
    for role in read_roles().values()
    for rule in role.rules
    for resource in rule.resources
    for verb in rule.verbs
}
_PATH = re.compile(r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?P<rest>/.+)")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def beyond_roles(seen: Iterable[Seen]) -> Iterator[str]:
    """The requests that no published role allows, as ``get virtualmachineinstances.kubevirt.io``."""
    for request in seen:
        found = _PATH.fullmatch(request.path)
        if found is None:
            continue
        group, parts = found["group"] or "", found["rest"].strip("/").split("/")
        if parts[0] == "namespaces" and len(parts) > 2:
            parts = parts[2:]
        resource = "/".join(parts[:1] + parts[2:3])
        read = "watch" if "watch" in request.query else "get" if len(parts) > 1 else "list"
        verb = _VERBS.get(request.verb, read)
        if resource not in (*EVERYBODYS, "version") and (group, resource, verb) not in GRANTED:
            yield f"{verb} {resource}.{group}" if group else f"{verb} {resource}"
