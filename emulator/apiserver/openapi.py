# SPDX-License-Identifier: Apache-2.0
"""OpenAPI v3 documents: what kubectl needs to apply, create, validate and explain."""

from __future__ import annotations

import hashlib
from typing import Any

from .objects import Obj
from .registry import Registry, Resource
from .store import dump

META_PACKAGE = "io.k8s.apimachinery.pkg.apis.meta.v1"
_ACTIONS = {"get": "get", "put": "put", "patch": "patch", "delete": "delete", "post": "post"}
_STRING = {"type": "string"}


class OpenApi:
    """The index and the document of each group version; made at the first request and after every registration."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._revision = -1
        self._documents: dict[str, bytes] = {}

    def _refresh(self) -> None:
        if self._revision == self._registry.revision:
            return
        self._revision = self._registry.revision
        by_version: dict[str, list[Resource]] = {}
        for resource in self._registry:
            for version in resource.versions:
                base = "apis" if resource.group else "api"
                by_version.setdefault(f"{base}/{resource.api_version(version)}", []).append(resource)
        self._documents = {path: dump(_document(path, found)) for path, found in sorted(by_version.items())}

    def index(self) -> Obj:
        self._refresh()
        return {
            "paths": {
                path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={hashlib.sha256(body).hexdigest().upper()}"}
                for path, body in self._documents.items()
            }
        }

    def document(self, path: str) -> bytes | None:
        """The document of ``api/v1`` or ``apis/kubevirt.io/v1``; None when there is none."""
        self._refresh()
        return self._documents.get(path)


def _document(path: str, resources: list[Resource]) -> Obj:
    version = path.rsplit("/", 1)[-1]
    paths: Obj = {}
    schemas: Obj = {f"{META_PACKAGE}.ObjectMeta": _object_meta()}
    for resource in resources:
        name = schema_name(resource, version)
        schemas[name] = _schema(resource, version)
        _add_paths(paths, path, resource, version, name)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Embedded cluster", "version": "v1.36.0+embedded"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def schema_name(resource: Resource, version: str) -> str:
    """``io.kubevirt.v1.VirtualMachine``."""
    parts = reversed(resource.group.split(".")) if resource.group else ["io", "k8s", "api", "core"]
    return ".".join([*parts, version, resource.kind])


def _gvk(resource: Resource, version: str) -> Obj:
    return {"group": resource.group, "kind": resource.kind, "version": version}


def _schema(resource: Resource, version: str) -> Obj:
    declared: Any = resource.schema or {}
    properties: Obj = {
        "apiVersion": {**_STRING, "description": "The version of the schema that this object is written in"},
        "kind": {**_STRING, "description": "The kind of this object"},
        "metadata": {
            "allOf": [{"$ref": f"#/components/schemas/{META_PACKAGE}.ObjectMeta"}],
            "default": {},
            "description": "Name, labels and everything else that all objects have",
        },
    }
    properties.update(declared.get("properties") or {})
    if not declared:
        for field in ("spec", "status"):
            properties[field] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    found: Obj = {
        "type": "object",
        "description": declared.get("description") or f"{resource.kind} of {resource.group or 'the core group'}",
        "properties": {
            key: value or {"x-kubernetes-preserve-unknown-fields": True} for key, value in properties.items()
        },
        "x-kubernetes-group-version-kind": [_gvk(resource, version)],
    }
    if not declared:
        found["x-kubernetes-preserve-unknown-fields"] = True
    return found


def _object_meta() -> Obj:
    texts = {"type": "object", "additionalProperties": _STRING}
    names = ("name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
    properties: Obj = {name: dict(_STRING) for name in names}
    properties["generation"] = properties["deletionGracePeriodSeconds"] = {"type": "integer", "format": "int64"}
    properties["labels"] = properties["annotations"] = texts
    properties["finalizers"] = {"type": "array", "items": _STRING, "x-kubernetes-list-type": "set"}
    loose = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    properties["ownerReferences"] = properties["managedFields"] = {"type": "array", "items": loose}
    return {"type": "object", "properties": properties}


def _add_paths(paths: Obj, base: str, resource: Resource, version: str, schema: str) -> None:
    home = f"/{base}" + ("/namespaces/{namespace}" if resource.namespaced else "")
    collection, single = f"{home}/{resource.plural}", f"{home}/{resource.plural}/{{name}}"
    operations = {
        collection: {"get": "list", "post": "create", "delete": "deletecollection"},
        single: {"get": "get", "put": "update", "patch": "patch", "delete": "delete"},
    }
    for path, methods in operations.items():
        found = {
            method: _operation(resource, version, schema, method)
            for method, verb in methods.items()
            if verb in resource.verbs
        }
        if found:
            paths[path] = found
    if resource.status:
        paths[f"{single}/status"] = {m: _operation(resource, version, schema, m) for m in ("get", "put", "patch")}


def _operation(resource: Resource, version: str, schema: str, method: str) -> Obj:
    reference = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    operation: Obj = {
        "responses": {"200": {"description": "OK", "content": {"application/json": reference}}},
        "x-kubernetes-action": _ACTIONS[method],
        "x-kubernetes-group-version-kind": _gvk(resource, version),
    }
    if method in ("post", "put", "patch"):
        # kubectl validates on the server's side only when it finds this parameter.
        names = ("dryRun", "fieldManager", "fieldValidation", *(("force",) if method == "patch" else ()))
        operation["parameters"] = [{"name": name, "in": "query", "schema": _STRING} for name in names]
        operation["requestBody"] = {"content": {"application/json": reference}}
    return operation
