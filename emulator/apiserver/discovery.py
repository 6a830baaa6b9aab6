# SPDX-License-Identifier: Apache-2.0
"""Discovery and version: the groups and resources that the server serves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .objects import Obj
from .registry import Registry, Resource

GIT_VERSION = "v1.36.0+embedded"
# Kinds of subresources that are of another group than their resource.
OTHER_GROUPS = {"Eviction": ("policy", "v1")}
STATUS_VERBS = ["get", "patch", "update"]


def version_info(defects: Iterable[str] = ()) -> Obj:
    """The body of ``/version``; it says that the cluster is an embedded one, and which defects it has."""
    return {
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": ".".join([GIT_VERSION, *defects]),
        "gitCommit": "embedded",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "linux/amd64",
    }


class Discovery:
    """The discovery documents of a registry and of the aggregated groups beside it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._aggregated: dict[str, tuple[tuple[str, ...], list[str]]] = {}

    def aggregated(self, group: str, versions: tuple[str, ...], resources: Iterable[str]) -> None:
        """Adds a group whose resources are only paths, such as ``virtualmachineinstances/console``."""
        self._aggregated[group] = (versions, list(resources))

    def groups(self) -> dict[str, list[str]]:
        """Group -> versions, the core group left out."""
        found = {group: versions for group, versions in self._registry.groups().items() if group}
        found.update((group, list(versions)) for group, (versions, _) in self._aggregated.items())
        return found

    def core_versions(self, server: str) -> Obj:
        return {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}],
        }

    def group_list(self) -> Obj:
        groups = [_group(name, versions) for name, versions in self.groups().items()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def group(self, name: str) -> Obj | None:
        versions = self.groups().get(name)
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None

    def resources(self, group: str, version: str) -> Obj | None:
        """The ``APIResourceList`` of a group's version; None when nothing is served there."""
        served = [r for r in self._registry if r.group == group and version in r.versions]
        listed: list[Obj] = []
        for resource in served:
            listed += _entries(resource)
        if not served:
            versions, names = self._aggregated.get(group, ((), []))
            if version not in versions:
                return None
            # No verbs: kubectl must not take these for objects that it could list.
            listed = [{"name": n, "singularName": "", "namespaced": True, "kind": "", "verbs": None} for n in names]
        group_version = f"{group}/{version}" if group else version
        if served and not served[0].custom:
            listed.sort(key=lambda entry: str(entry["name"]))
        head: Obj = {"kind": "APIResourceList"}
        if group:
            head["apiVersion"] = "v1"
        return {**head, "groupVersion": group_version, "resources": listed}

    def paths(self) -> Obj:
        found = ["/api", "/api/v1", "/apis", "/apis/"]
        for group, versions in sorted(self.groups().items()):
            found.append(f"/apis/{group}")
            found += [f"/apis/{group}/{version}" for version in versions]
        return {"paths": [*found, "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]}


def _group(name: str, versions: list[str]) -> Obj:
    ordered = sorted(versions, key=_stability, reverse=True)
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in ordered]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _stability(version: str) -> tuple[int, int, int]:
    """Sorts versions as Kubernetes prefers them: stable ones first, then beta, then alpha; the newest of each first."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if found is None:
        return (-1, 0, 0)
    rank = {None: 2, "beta": 1, "alpha": 0}[found[2]]
    return (rank, int(found[1]), int(found[3] or 0))


def _entries(resource: Resource) -> list[Obj]:
    entry: Obj = {
        "name": resource.plural,
        "singularName": resource.singular_name,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    found = [entry]
    subresources = {"status": (resource.kind, tuple(STATUS_VERBS))} if resource.status else {}
    for name, (kind, verbs) in {**subresources, **resource.subresources}.items():
        group, version = OTHER_GROUPS.get(kind, ("", ""))
        found.append(
            {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                **({"group": group, "version": version} if group else {}),
                "kind": kind,
                "verbs": list(verbs),
            }
        )
    return found
