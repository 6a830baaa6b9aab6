# SPDX-License-Identifier: Apache-2.0
"""Objects, lists and Statuses as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import yaml

from . import tables
from .content_negotiation import YAML, Accepted
from .core import ApiCore
from .objects import Obj
from .registry import Resource
from .store import Item, dump


def item_bytes(core: ApiCore, resource: Resource, item: Item, version: str) -> bytes:
    """One object; made once for each version it is asked in."""
    form = f"{resource.key}/{version}"
    return item.cached(form, lambda obj: dump(core.shown(resource, obj, version), alphabetical=resource.custom))


def _listed_bytes(core: ApiCore, resource: Resource, item: Item, version: str) -> bytes:
    """One object inside a list: a built-in one goes without kind and apiVersion there."""
    if resource.custom:
        return item_bytes(core, resource, item, version)
    form = f"{resource.key}/{version}/listed"
    return item.cached(form, lambda obj: dump(_bare(core.shown(resource, obj, version))))


def _bare(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def list_bytes(core: ApiCore, resource: Resource, items: Iterable[Item], metadata: Obj, version: str) -> bytes:
    body = b",".join(_listed_bytes(core, resource, item, version) for item in items)
    kind, api_version = resource.list_kind, resource.api_version(version)
    if resource.custom:
        meta = dump({"continue": "", **metadata}, alphabetical=True)
        return b'{"apiVersion":"%s","items":[%s],"kind":"%s","metadata":%s}\n' % (
            api_version.encode(),
            body,
            kind.encode(),
            meta,
        )
    head = dump({"kind": kind, "apiVersion": api_version, "metadata": metadata})
    return b'%s,"items":[%s]}\n' % (head[:-1], body)


def transformed(core: ApiCore, resource: Resource, item: Item, accepted: Accepted, include: str) -> Obj:
    """One object as a table of one row or as partial metadata."""
    obj = core.shown(resource, item.obj)
    if accepted.form == "Table":
        metadata = {"resourceVersion": str(item.rv)}
        return tables.table(resource, [obj], metadata, include, accepted.version)
    return tables.partial_metadata(obj, accepted.version)


def transformed_list(resource: Resource, objects: list[Obj], metadata: Obj, accepted: Accepted, include: str) -> Obj:
    if accepted.form == "Table":
        return tables.table(resource, objects, metadata, include, accepted.version)
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{accepted.version}",
        "metadata": metadata,
        "items": [tables.partial_metadata(obj, accepted.version) for obj in objects],
    }


class _YamlDumper(yaml.SafeDumper):
    """Quotes strings that look like something else in double quotes, as Go's YAML does."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        resolve: Any = self.resolve
        plain = resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str"
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_YamlDumper.add_representer(str, _YamlDumper.represent_text)


def encode(value: Any, media: str, *, pretty: bool = False) -> bytes:
    """JSON or YAML, ending with a newline."""
    if media == YAML:
        return yaml.dump(value, Dumper=_YamlDumper, sort_keys=True, allow_unicode=True, width=10**6).encode()
    if pretty:
        return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
    return dump(value) + b"\n"
