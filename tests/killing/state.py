# SPDX-License-Identifier: Apache-2.0
"""All objects of a cluster, and how two such states differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.acceptance.cluster import Api, Object

Key = tuple[str, str, str]
"""Resource with its group, namespace, name."""

State = Mapping[Key, Object]

_UNSTABLE = (
    *("resourceVersion", "managedFields", "generation", "observedGeneration", "policyGeneration", "renewTime"),
    *("lastHeartbeatTime", "lastTransitionTime", "lastSuccessfulUpdateTime", "lastProbeTime"),
    "kubevirt.io/heartbeat",
)
"""What the cluster changes by itself, all the time."""

_NOT_KEPT = (
    *("events", "events.events.k8s.io"),
    *("projects.project.openshift.io", "projectrequests.project.openshift.io"),
)
"""Events tell of what was; projects are namespaces once more, and no request for one is kept."""


def read_state(api: Api) -> dict[Key, Object]:
    """Every object that can be listed."""
    state = {}
    for resource, path in _resources(api):
        for item in api.items(path):
            metadata = item["metadata"]
            state[resource, metadata.get("namespace", ""), metadata["name"]] = item
    return state


def differences(before: State, after: State, exactly: set[Key]) -> dict[Key, str]:
    """What is not as it was. The objects ``exactly`` must not even have been written."""
    found = {key: "is still there" for key in after if key not in before}
    found |= {key: "is gone" for key in before if key not in after}
    for key in set(before) & set(after):
        one, other = before[key], after[key]
        if key not in exactly:
            one, other = _stable(one), _stable(other)
        if one != other:
            found[key] = f"is not as it was: {_first_difference(one, other)}"
    return found


def _resources(api: Api) -> Iterator[tuple[str, str]]:
    versions = ["/api/v1"]
    versions += [f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.read("/apis")["groups"]]
    for root in versions:
        group = root.split("/")[2] if root.startswith("/apis/") else ""
        for resource in api.read(root)["resources"]:
            name = f"{resource['name']}.{group}".rstrip(".")
            if "/" not in resource["name"] and "list" in resource["verbs"] and name not in _NOT_KEPT:
                yield name, f"{root}/{resource['name']}"


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(inner) for key, inner in value.items() if key not in _UNSTABLE}
    return [_stable(inner) for inner in value] if isinstance(value, list) else value


def _first_difference(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if one.get(key) != other.get(key):
                return _first_difference(one.get(key), other.get(key), f"{path}.{key}")
    return f"{path} was {json.dumps(one)[:200]}, is {json.dumps(other)[:200]}"
